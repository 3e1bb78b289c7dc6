import type { App } from "./app.ts";

/** The folder that a session's thread already has, which no later wish changes; `null` while it has no thread. */
export async function findProjectPath(_app: App, _workSessionId: string): Promise<string | null> {
  throw new Error("not written yet");
}
