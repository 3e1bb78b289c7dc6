import type { Turn } from "../domain/turn.ts";
import { endTurn, requeueTurn } from "./end-turn.ts";
import { moveThread, type ThreadScope } from "./thread-scope.ts";

const RETRY_DELAY_MS = 1_000;

/** The turn that a thread's trouble stands in the way of: the one in flight, else the first that waits. */
export async function headTurn({ unit, mapping }: ThreadScope): Promise<Turn | null> {
  const live = await unit.turns.live(mapping.id);
  return live.find(({ inFlight }) => inFlight) ?? live[0] ?? null;
}

/**
 * A thread could not be opened or talked to, for a reason that may pass: it is tried again after a pause, ever longer.
 * When that does not help, the turn in the way fails; without one the thread is left alone until there is.
 */
export async function recordOpenFailure(
  scope: ThreadScope,
  error: string,
  { turnIsHeld = false }: { readonly turnIsHeld?: boolean } = {},
): Promise<void> {
  const { unit, mapping, limits, now } = scope;
  const head = await headTurn(scope);
  mapping.openFailures += 1;
  mapping.openedEpoch = 0;
  moveThread(scope, "disconnect", "THREAD_NOT_LOADED");
  if (mapping.openFailures < limits.attemptsMax) {
    mapping.openSentEpoch = 0;
    mapping.openNotBefore = new Date(now.getTime() + RETRY_DELAY_MS * 4 ** (mapping.openFailures - 1));
    if (head?.inFlight === true && !turnIsHeld) await requeueTurn(scope, head, { reason: "THREAD_NOT_LOADED", error });
  } else if (head !== null) {
    Object.assign(mapping, { openSentEpoch: 0, openFailures: 0, openNotBefore: null });
    if (head.inFlight) head.cancelRequestedAt ??= now;
    await endTurn(scope, head, "fail", { reason: "THREAD_NOT_LOADED", error });
  }
  unit.ringInstance(mapping.zedSessionId);
}
