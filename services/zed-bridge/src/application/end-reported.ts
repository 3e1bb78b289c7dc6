import type { App } from "./app.ts";
import { endAsReported } from "./end-as-reported.ts";

/** Ends threads whose agents reported a while ago and whose turns go on. Returns how many there were. */
export async function endReported(app: App, { runner }: { readonly runner: string }): Promise<number> {
  const now = app.world.now();
  const reportedBy = new Date(now.getTime() - app.limits.reportedTimeoutMs);
  const ids = await app.database.transact(({ agentReports }) => agentReports.overdue(runner, reportedBy));
  for (const id of ids) {
    await app.database.transact(async (unit) => {
      const mapping = await unit.threads.lock(id);
      if (mapping !== null) await endAsReported({ unit, mapping, limits: app.limits, now });
    });
  }
  return ids.length;
}
