import type { Outcome } from "../domain/thread-mapping.ts";
import type { App } from "./app.ts";

/** Which report was taken, or refused for good. */
export interface RecordReported {
  readonly mappingId: string;
  readonly outcome: Outcome;
}

/** The report is no longer owed, unless the outcome has changed since. */
export async function recordReported(_app: App, _command: RecordReported): Promise<void> {
  throw new Error("not written yet");
}
