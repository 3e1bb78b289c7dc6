import type { OnTurnEnd, Outcome } from "./thread-mapping.ts";
import type { TurnStatus } from "./turn.ts";

/** How a turn ended, and what else there is to do in its thread. */
export interface TurnEndFacts {
  readonly status: TurnStatus;
  readonly reason: string;
  readonly onTurnEnd: OnTurnEnd;
  /** Whether further turns wait in the thread. */
  readonly othersWait: boolean;
}

/** Why no prompt of the session can ever succeed. */
const HOPELESS: ReadonlySet<string> = new Set(["AGENT_NOT_AVAILABLE"]);

/**
 * How the work session ends with this turn, or `null` if it goes on. Under `complete` the first turn that is answered or
 * fails decides; one that was stopped leaves the decision to those that wait, and without any the session is cancelled.
 */
export function sessionEndOf({
  status,
  reason,
  onTurnEnd,
  othersWait,
}: TurnEndFacts): Exclude<Outcome, "active"> | null {
  if (status === "failed" && HOPELESS.has(reason)) return "failed";
  if (onTurnEnd === "idle") return null;
  if (status === "completed" || status === "failed") return status;
  return status === "interrupted" && !othersWait ? "cancelled" : null;
}
