import type { App } from "./app.ts";

/** What the compactor tells. */
export interface CompactionReport {
  readonly failed: (error: unknown) => void;
}

/**
 * Drops what the change log need not keep any more, until the signal aborts: batch after batch while there is something to
 * drop, else every few seconds. Any number of processes may do so; they take turns.
 */
export async function compactLog(app: App, signal: AbortSignal, report: CompactionReport): Promise<void> {
  const { database, world, limits } = app;
  while (!signal.aborted) {
    let dropped = 0;
    try {
      dropped = await database.compactLog(limits);
    } catch (error) {
      report.failed(error);
    }
    const pauseMs = dropped < limits.logCompactionBatchMax ? limits.logCompactionIntervalMs : 0;
    await world.sleep(pauseMs, signal).catch(() => {});
  }
}
