import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endTurn } from "./end-turn.ts";
import { openEvent, showAlive, whyNot } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/** A turn has stopped. One that said nothing has not succeeded, and one that was asked to stop has only done so. */
export async function receiveCompletion(
  app: App,
  unit: Unit,
  source: EventSource,
  { acp_thread_id: threadId, request_id: requestId, usage }: SyncEvent<"message_completed">["data"],
): Promise<ReceivedEvent> {
  const scope = await openEvent(app, unit, source, { threadId, requestId });
  if (scope === null) return ignored("the thread is not known");
  const why = whyNot(scope);
  if (scope.turn === null || why !== null) return ignored(why ?? "");
  showAlive(scope);
  scope.turn.usage = usage;
  if (await unit.entries.hasAnswer(scope.turn)) await endTurn(scope, scope.turn, "complete");
  else if (scope.turn.cancelRequestedAt !== null) {
    await endTurn(scope, scope.turn, "interrupt", { reason: scope.turn.cancelReason });
  } else {
    const error = "The agent ended its turn without saying or doing anything.";
    await endTurn(scope, scope.turn, "fail", { reason: "EMPTY_RESPONSE", error });
  }
  return counted;
}
