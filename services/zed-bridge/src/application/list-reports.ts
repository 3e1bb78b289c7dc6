import type { Outcome } from "../domain/thread-mapping.ts";
import type { App } from "./app.ts";

/** What task-service is to be told about a work session. */
export interface Report {
  readonly mappingId: string;
  readonly workSessionId: string;
  /** `null`: the lease is not held; a cancel is reported nevertheless. */
  readonly leaseEpoch: bigint | null;
  readonly outcome: Outcome;
  /** UPPER_SNAKE, empty where the outcome is plain. */
  readonly reason: string;
  readonly summary: string;
  readonly error: string;
  /** Whether `active` was reported before. */
  readonly activeReported: boolean;
}

/** The reports that are owed, oldest first. */
export async function listReports(_app: App, _query: { readonly runner: string }): Promise<Report[]> {
  throw new Error("not written yet");
}
