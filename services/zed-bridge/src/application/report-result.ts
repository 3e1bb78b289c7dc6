// An agent reports
//
// What an agent says about its session counts more than what follows from the end of a turn: the session ends as
// reported. Not at once, though, while a turn is under way: the agent is in the middle of it, has its closing words to
// say, and nothing that it did should look interrupted. So the report is kept, and decides when the turn ends, however it
// ends. An agent that reports and goes on regardless is given a while (`reportedTimeoutMs`), then its turn is stopped.
// Until then it may correct itself: the last report counts.
import { redact } from "../domain/redact.ts";
import type { AgentReport } from "../persistence/agent-report-repository.ts";
import type { App } from "./app.ts";
import { endAsReported } from "./end-as-reported.ts";
import { threadEnded } from "./thread-view.ts";

/** What an agent reports, and in which thread. */
export interface ReportResult extends AgentReport {
  readonly mappingId: string;
}

/** Keeps the report. Says whether the session has ended by it already; refuses with THREAD_ENDED if it had before. */
export function reportResult(
  app: App,
  { mappingId, outcome, summary }: ReportResult,
): Promise<{ readonly ended: boolean }> {
  const now = app.world.now();
  const report = { outcome, summary: redact(summary, { texts: app.secrets, tokenHash: null }) };
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lock(mappingId);
    if (mapping === null) throw new Error(`The thread ${mappingId} has gone while its agent lives.`);
    if (mapping.ended) throw threadEnded(mapping);
    await unit.agentReports.put(mapping.id, report, now);
    if ((await unit.turns.inFlight(mapping.id)) !== null) return { ended: false };
    return { ended: await endAsReported({ unit, mapping, limits: app.limits, now }) };
  });
}
