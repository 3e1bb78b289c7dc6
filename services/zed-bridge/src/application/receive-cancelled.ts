import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Turn } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { concludeLost } from "./conclude-lost.ts";
import { endTurn } from "./end-turn.ts";
import { type EventScope, noteHeard, openEvent, whyNot } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/**
 * The answer to a cancel. To one that was sent to ask after a turn it tells whether the editor is at work on it. To others
 * `noop` says little: the turn had not begun, then it is cancelled when it does; or it has ended, as it said.
 */
export async function receiveCancelled(
  app: App,
  unit: Unit,
  source: EventSource,
  { request_id: requestId, status }: SyncEvent<"turn_cancelled">["data"],
): Promise<ReceivedEvent> {
  const scope = await openEvent(app, unit, source, { threadId: "", requestId });
  if (scope === null) return ignored("no turn has this request id");
  const { turn } = scope;
  const why = whyNot(scope);
  if (turn === null || why !== null) return ignored(why ?? "");
  if (wasAskedAfter(scope, turn)) await answerProbe(scope, turn, status);
  else if (status === "noop") return ignored("nothing ran under this request id");
  else {
    noteHeard(scope, turn, "turn_cancelled");
    await endTurn(scope, turn, "interrupt", { reason: turn.cancelReason || "CANCELLED" });
  }
  return counted;
}

function wasAskedAfter({ epoch }: EventScope, { probeSentEpoch, probeCancelledAt, cancelRequestedAt }: Turn): boolean {
  return probeSentEpoch === epoch && probeCancelledAt === null && cancelRequestedAt === null;
}

async function answerProbe(scope: EventScope, turn: Turn, status: "cancelled" | "noop"): Promise<void> {
  if (turn.heardEpoch !== scope.epoch && status === "noop") return concludeLost(scope, turn);
  // It was heard of after all: if it has ended, it says so itself.
  if (status === "cancelled") turn.probeCancelledAt = scope.now;
}
