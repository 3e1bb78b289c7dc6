import type { SyncEvent } from "@helix-zed/sync-protocol";
import { classifyTurnError } from "../domain/editor-error.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { beginStoppedAnew } from "./conclude-lost.ts";
import { endTurn, requeueTurn } from "./end-turn.ts";
import { clean, noteHeard, openEvent, whyNot } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/** A turn, or the making of its thread, has failed. */
export async function receiveTurnError(
  app: App,
  unit: Unit,
  source: EventSource,
  { request_id: requestId, error: words }: SyncEvent<"chat_response_error">["data"],
): Promise<ReceivedEvent> {
  const scope = await openEvent(app, unit, source, { threadId: "", requestId });
  if (scope === null) return ignored("no turn has this request id");
  const why = whyNot(scope);
  const { turn, mapping } = scope;
  if (turn === null || why !== null) return ignored(why ?? "");
  const error = clean(app, scope, words);
  mapping.lastActivityAt = scope.now;
  noteHeard(scope, turn, "chat_response_error");
  if (turn.cancelRequestedAt !== null) {
    await endTurn(scope, turn, "interrupt", { reason: turn.cancelReason, error });
    return counted;
  }
  if (turn.probeCancelledAt !== null) {
    await beginStoppedAnew(scope, turn);
    return counted;
  }
  switch (classifyTurnError(error, { hasThread: mapping.zedThreadId !== null })) {
    case "crashed":
      // The thread must be loaded by the next agent before it is talked to.
      Object.assign(mapping, { openedEpoch: 0, openSentEpoch: 0 });
      await requeueTurn(scope, turn, { reason: "AGENT_CRASHED", error });
      break;
    case "unavailable":
      await endTurn(scope, turn, "fail", { reason: "AGENT_NOT_AVAILABLE", error });
      break;
    case "refused":
      await endTurn(scope, turn, "fail", { reason: "AGENT_ERROR", error });
  }
  return counted;
}
