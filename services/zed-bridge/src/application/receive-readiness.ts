import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { openEvent, showAlive } from "./event-scope.ts";
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
  if (scope !== null) showAlive(scope);
  return counted;
}
