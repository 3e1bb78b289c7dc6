import type { App } from "./app.ts";

/** How a process ended, or that it never began. */
export interface RecordExit {
  readonly instanceId: string;
  readonly launch: number;
  /** In words: `exit code 1`, `killed by SIGKILL`, `cannot be started: ENOENT`. */
  readonly reason: string;
  /** The last lines it wrote, oldest first. */
  readonly logLines: readonly string[];
}

/**
 * The process of this launch is gone. Its turns go back to the queue; the instance is restarted after a pause, stopped
 * if nobody wants it, or failed when it has ended too often. Call it after its link was drained and closed.
 */
export async function recordExit(_app: App, _command: RecordExit): Promise<void> {
  throw new Error("not written yet");
}
