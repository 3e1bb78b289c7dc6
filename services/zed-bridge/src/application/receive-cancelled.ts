import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endTurn } from "./end-turn.ts";
import { openEvent, whyNot } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/** The answer to a cancel. `noop`: the turn had not begun, then it is cancelled when it does; or it has ended, as it said. */
export async function receiveCancelled(
  app: App,
  unit: Unit,
  source: EventSource,
  { request_id: requestId, status }: SyncEvent<"turn_cancelled">["data"],
): Promise<ReceivedEvent> {
  if (status === "noop") return ignored("nothing ran under this request id");
  const scope = await openEvent(app, unit, source, { threadId: "", requestId });
  if (scope === null) return ignored("no turn has this request id");
  const why = whyNot(scope);
  if (scope.turn === null || why !== null) return ignored(why ?? "");
  await endTurn(scope, scope.turn, "interrupt", { reason: scope.turn.cancelReason || "CANCELLED" });
  return counted;
}
