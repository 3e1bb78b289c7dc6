import type { App } from "./app.ts";

/** Why a thread ends although its own turns did not end it. */
export type CloseReason = "completed" | "failed" | "cancelled" | "deleted" | "ended";

/** Which session ended, and how as far as that is known. */
export interface CloseThread {
  readonly workSessionId: string;
  /** `ended`: somehow, or gone. `deleted`: the thread is hidden from now on. */
  readonly reason: CloseReason;
}

/** The work session has ended elsewhere: ends its turns and its thread, and lets go of a process without threads. */
export async function closeThread(_app: App, _command: CloseThread): Promise<void> {
  throw new Error("not written yet");
}
