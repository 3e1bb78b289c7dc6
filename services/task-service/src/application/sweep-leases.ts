import type { App } from "./app.ts";
import { expireLeases } from "./expire-leases.ts";

/** What the sweeper tells. */
export interface SweepReport {
  readonly swept: (count: number) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Expires leases every few seconds until the signal aborts. Begins one lease after the start: a service that was down
 * cannot tell a runner that died from one that could not reach it, so all of them get the time to be heard of again.
 */
export async function sweepLeases(app: App, signal: AbortSignal, report: SweepReport): Promise<void> {
  const { world, limits } = app;
  const pause = (durationMs: number): Promise<void> => world.sleep(durationMs, signal).catch(() => {});
  await pause(limits.leaseMs);
  while (!signal.aborted) {
    try {
      const count = await expireLeases(app);
      if (count > 0) report.swept(count);
    } catch (error) {
      report.failed(error);
    }
    await pause(limits.sweepIntervalMs);
  }
}
