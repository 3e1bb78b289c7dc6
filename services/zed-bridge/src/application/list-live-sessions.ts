import type { App } from "./app.ts";

/** The sessions that this bridge works on: compare them with those that live at task-service. */
export function listLiveSessions(app: App, { runner }: { readonly runner: string }): Promise<string[]> {
  return app.database.transact(({ threads }) => threads.liveSessions(runner));
}
