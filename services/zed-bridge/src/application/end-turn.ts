import { sessionEndOf } from "../domain/session-end.ts";
import type { Turn } from "../domain/turn.ts";
import { endAsReported } from "./end-as-reported.ts";
import { endThread } from "./end-thread.ts";
import { moveTurn, type ThreadScope, type TurnReason } from "./thread-scope.ts";

const SUMMARY_CHARACTERS_MAX = 16_384;

/** Ends a turn, and with it the thread if the session's policy says so. What has ended stays as it is. */
export async function endTurn(
  scope: ThreadScope,
  turn: Turn,
  action: "complete" | "fail" | "interrupt",
  why: TurnReason = {},
): Promise<void> {
  const { unit, mapping } = scope;
  if (!moveTurn(scope, turn, action, why)) return;
  unit.ringInstance(mapping.zedSessionId);
  if (await endAsReported(scope)) return;
  const others = await unit.turns.live(mapping.id);
  const outcome = sessionEndOf({
    status: turn.status,
    reason: turn.statusReason,
    onTurnEnd: mapping.onTurnEnd,
    othersWait: others.some(({ id, ended }) => id !== turn.id && !ended),
  });
  if (outcome === null) return;
  const summary = outcome === "completed" ? await unit.entries.closingWords(turn, SUMMARY_CHARACTERS_MAX) : "";
  await endThread(scope, { outcome, reason: turn.statusReason, summary, error: turn.error });
}

/**
 * The editor or the agent died under a turn: it goes back to the queue, and what this attempt had said is forgotten, so
 * that nothing is said twice. A turn that was to be stopped is; one that has used up its attempts fails. An attempt that
 * was ended on purpose is not counted.
 */
export async function requeueTurn(scope: ThreadScope, turn: Turn, why: TurnReason, onPurpose = false): Promise<void> {
  const { unit, mapping, limits } = scope;
  if (!turn.inFlight) return;
  if (turn.cancelRequestedAt !== null) return endTurn(scope, turn, "interrupt", { reason: turn.cancelReason });
  if (await endAsReported(scope)) return;
  // What a person typed in the editor is not said again in his name.
  if (turn.origin === "editor") return endTurn(scope, turn, "fail", why);
  if (onPurpose) turn.attempt -= 1;
  else if (turn.attempt >= limits.attemptsMax) return endTurn(scope, turn, "fail", why);
  moveTurn(scope, turn, "requeue", why);
  turn.cancelSentEpoch = 0;
  for (const id of await unit.entries.deleteAnswer(turn)) unit.log.entryDeleted(mapping, id);
  unit.ringInstance(mapping.zedSessionId);
}
