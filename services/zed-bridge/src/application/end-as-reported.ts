import type { AgentReport } from "../persistence/agent-report-repository.ts";
import { endThread, type ThreadEnd } from "./end-thread.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** Ends a thread as its agent has reported. Returns whether it has. */
export async function endAsReported(scope: ThreadScope): Promise<boolean> {
  const report = await scope.unit.agentReports.find(scope.mapping.id);
  if (report === null) return false;
  await endThread(scope, endOfReport(report));
  return true;
}

/** How a thread ends whose agent has reported. */
function endOfReport({ outcome, summary }: AgentReport): ThreadEnd {
  const reason = "REPORTED_BY_AGENT";
  return outcome === "completed" ? { outcome, reason, summary } : { outcome, reason, error: summary };
}
