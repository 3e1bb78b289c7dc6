import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { App } from "./app.ts";
import { receiveThreadCreated } from "./receive-thread-created.ts";
import type { EventSource } from "./received-event.ts";

/**
 * The name of a new thread may have been lost with the link. What the editor says of the turn then, on a later link, names
 * it as well. Returns whether the thread has been given to the turn's session.
 */
export function adoptUnannounced(app: App, source: EventSource, event: SyncEvent): Promise<boolean> {
  const { data } = event;
  if (!("request_id" in data && "acp_thread_id" in data)) return Promise.resolve(false);
  const { request_id, acp_thread_id } = data;
  if (request_id === "" || acp_thread_id === "") return Promise.resolve(false);
  return app.database.transact(async (unit) => {
    const mappingId = await unit.turns.mappingOf(source.instanceId, request_id);
    const turn = mappingId === null ? null : await unit.turns.inFlight(mappingId);
    if (turn?.id !== request_id || !turn.createsThread || turn.sentEpoch === source.epoch) return false;
    return (await receiveThreadCreated(app, unit, source, { request_id, acp_thread_id })).ignored === null;
  });
}
