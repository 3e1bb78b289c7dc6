import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { type EventScope, openEvent, showAlive } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/** The editor is ready, and alive with the thread that it names, if it names one. Its agent's name means nothing. */
export async function receiveReadiness(
  app: App,
  unit: Unit,
  source: EventSource,
  { thread_id: threadId }: SyncEvent<"agent_ready">["data"],
): Promise<ReceivedEvent> {
  if (!(await unit.instances.setReady(source.instanceId, source.epoch))) return ignored("a newer link has taken over");
  if (threadId === null) return counted;
  const scope = await openEvent(app, unit, source, { threadId, requestId: "" });
  // A new thread is announced before it is known whose it is.
  if (scope === null) return counted;
  showAlive(scope);
  await withdrawHistory(scope);
  return counted;
}

/**
 * A thread that is not in the editor's memory is loaded for a follow-up, announced, and only then prompted: what was told
 * under the turn's id before is history, whatever numbers and words it has. What the agent says is told again at its end.
 */
async function withdrawHistory({ unit, mapping, instance, epoch }: EventScope): Promise<void> {
  if (instance.launchTarget === "acp-host") return;
  const turn = await unit.turns.inFlight(mapping.id);
  if (turn === null || turn.createsThread || turn.origin === "editor" || turn.sentEpoch !== epoch) return;
  for (const id of await unit.entries.deleteAnswer(turn)) unit.log.entryDeleted(mapping, id);
}
