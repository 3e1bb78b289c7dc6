import type { App } from "./app.ts";

/** The sessions that this bridge works on or that still owe a report: compare them with task-service's living ones. */
export async function listLiveSessions(_app: App, _query: { readonly runner: string }): Promise<string[]> {
  throw new Error("not written yet");
}
