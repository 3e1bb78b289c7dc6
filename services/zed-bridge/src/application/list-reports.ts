import type { Outcome } from "../domain/thread-mapping.ts";
import type { App } from "./app.ts";

/** What task-service is to be told about a work session. */
export interface Report {
  readonly mappingId: string;
  readonly workSessionId: string;
  /** `null`: no lease is held; only a caller's wish (`cancelled`) is reported then. */
  readonly leaseEpoch: bigint | null;
  readonly outcome: Outcome;
  /** UPPER_SNAKE, empty where the outcome is plain. */
  readonly reason: string;
  readonly summary: string;
  readonly error: string;
}

/** The reports that are owed, oldest first, at most 100. */
export function listReports(app: App, { runner }: { readonly runner: string }): Promise<Report[]> {
  return app.database.transact(async ({ threads }) => {
    const owed = await threads.owingReports(runner);
    return owed.flatMap((mapping) => {
      const { id: mappingId, workSessionId, leaseEpoch, outcome } = mapping;
      if (outcome === null) return [];
      const { outcomeReason: reason, outcomeSummary: summary, outcomeError: error } = mapping;
      return [{ mappingId, workSessionId, leaseEpoch, outcome, reason, summary, error }];
    });
  });
}
