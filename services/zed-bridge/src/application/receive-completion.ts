import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import type { Turn } from "../domain/turn.ts";
import { beginStoppedAnew } from "./conclude-lost.ts";
import { hearUnknown } from "./editor-threads.ts";
import { endTurn } from "./end-turn.ts";
import { type EventScope, noteHeard, openEvent, showAlive, whyNot } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { beginUnanswered } from "./typed-turn.ts";

/** A turn has stopped. One that said nothing has not succeeded, and one that was asked to stop has only done so. */
export async function receiveCompletion(
  app: App,
  unit: Unit,
  source: EventSource,
  data: SyncEvent<"message_completed">["data"],
): Promise<ReceivedEvent> {
  const { acp_thread_id: threadId, request_id: requestId, usage } = data;
  const event = { event_type: "message_completed", data } as const;
  const scope = await openEvent(app, unit, source, { threadId, requestId });
  if (scope === null) return hearUnknown(app, unit, source, event);
  const why = whyNot(scope);
  if (scope.turn === null || why !== null) return ignored(why ?? "");
  showAlive(scope);
  noteHeard(scope, scope.turn, "message_completed");
  scope.turn.usage = usage;
  scope.mapping.addUsage(usage);
  await endCompleted(scope, scope.turn);
  await beginUnanswered(app, scope, scope.turn);
  return counted;
}

async function endCompleted(scope: EventScope, turn: Turn): Promise<void> {
  // It has stopped because it was asked after.
  if (turn.probeCancelledAt !== null) return beginStoppedAnew(scope, turn);
  if (await scope.unit.entries.hasAnswer(turn)) return endTurn(scope, turn, "complete");
  if (turn.cancelRequestedAt !== null) return endTurn(scope, turn, "interrupt", { reason: turn.cancelReason });
  const error = "The agent ended its turn without saying or doing anything.";
  return endTurn(scope, turn, "fail", { reason: "EMPTY_RESPONSE", error });
}
