import type { ServiceActor } from "@helix-zed/domain";
import type { App } from "./app.ts";

/** The service itself, which sees the calls of all tenants. */
const forgetter: ServiceActor = { kind: "service", name: "task-service", roles: ["runner"] };

/** Forgets the answers to calls whose request ids are too old to be repeated, one batch. Says whether there are more. */
export function forgetRequests({ database, limits }: App, batch = 1_000): Promise<boolean> {
  return database.transact(forgetter, async ({ requests }) => {
    const forgotten = await requests.forget({ ageMs: limits.requestRetentionMs, limit: batch });
    return forgotten === batch;
  });
}

/** Forgets every minute, until the signal aborts. Any number of processes may do so. */
export async function sweepRequests(app: App, signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
  const { world, limits } = app;
  while (!signal.aborted) {
    let hasMore = false;
    try {
      hasMore = await forgetRequests(app);
    } catch (error) {
      failed(error);
    }
    if (!hasMore) await world.sleep(limits.requestSweepIntervalMs, signal).catch(() => {});
  }
}
