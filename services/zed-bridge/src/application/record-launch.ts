import type { App } from "./app.ts";

/** Which process a launch became. */
export interface RecordLaunch {
  readonly instanceId: string;
  readonly launch: number;
  readonly pid: number;
  readonly pidStartedAt: string;
}

/** The process runs. Returns whether the launch is still the present one: if not, the process must be ended. */
export async function recordLaunch(_app: App, _command: RecordLaunch): Promise<boolean> {
  throw new Error("not written yet");
}
