import type { Outcome } from "../domain/thread-mapping.ts";
import type { App } from "./app.ts";

/** Which report was taken, or refused for good. */
export interface RecordReported {
  readonly mappingId: string;
  readonly outcome: Outcome;
}

/** The report is no longer owed; if the outcome has changed since, that one still is. */
export async function recordReported(app: App, { mappingId, outcome }: RecordReported): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lock(mappingId);
    if (mapping === null) return;
    mapping.outcomeReported = outcome;
    mapping.outcomeReportedAt = now;
  });
}
