import type { App } from "./app.ts";

/** What a process wrote lately. */
export interface RecordLogLines {
  readonly instanceId: string;
  readonly launch: number;
  readonly logLines: readonly string[];
}

/** Keeps the last lines of a process that runs. Means nothing for an older launch. */
export async function recordLogLines(_app: App, _command: RecordLogLines): Promise<void> {
  throw new Error("not written yet");
}
