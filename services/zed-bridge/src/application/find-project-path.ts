import type { App } from "./app.ts";

/** The folder that a session's thread already has, which no later wish changes; `null` while it has no thread. */
export async function findProjectPath(app: App, workSessionId: string): Promise<string | null> {
  const mapping = await app.database.transact(({ threads }) => threads.find({ workSessionId, tenant: null }));
  return mapping?.projectPath ?? null;
}
