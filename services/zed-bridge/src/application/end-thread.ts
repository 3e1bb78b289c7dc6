import type { Outcome } from "../domain/thread-mapping.ts";
import { moveThread, moveTurn, type ThreadScope } from "./thread-scope.ts";

/** How a thread ends. */
export interface ThreadEnd {
  readonly outcome: Exclude<Outcome, "active">;
  /** UPPER_SNAKE; empty where the outcome is plain. */
  readonly reason: string;
  readonly summary?: string;
  readonly error?: string;
  /** Whether task-service knows already. */
  readonly known?: boolean;
}

/** Ends a thread with all its turns, and owes task-service the outcome. The editor is told to stop what it still does. */
export async function endThread(scope: ThreadScope, end: ThreadEnd): Promise<void> {
  const { unit, mapping, now } = scope;
  if (mapping.ended) return;
  for (const turn of await unit.turns.live(mapping.id)) {
    if (turn.inFlight) turn.cancelRequestedAt ??= now;
    moveTurn(scope, turn, "interrupt", { reason: "THREAD_ENDED" });
  }
  moveThread(scope, end.outcome === "failed" ? "fail" : "complete", end.reason);
  await unit.agentTokens.revokeOf(mapping.id);
  mapping.owe(end.outcome, end);
  if (end.known === true) mapping.outcomeReported = mapping.outcome;
  unit.ringReports();
  unit.ringInstance(mapping.zedSessionId);
}
