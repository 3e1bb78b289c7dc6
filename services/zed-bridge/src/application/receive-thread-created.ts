import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { type EventScope, noteHeard, openEvent, showAlive } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/**
 * The editor has named the thread that a turn was to begin. The first name stays: a second one is that of a thread nobody
 * asked for. A name that comes after its turn has ended is taken too, as long as no other turn waits for one.
 */
export async function receiveThreadCreated(
  app: App,
  unit: Unit,
  source: EventSource,
  { acp_thread_id: threadId, request_id: requestId }: SyncEvent<"thread_created">["data"],
): Promise<ReceivedEvent> {
  const scope = await openEvent(app, unit, source, { threadId: "", requestId });
  if (scope === null) return ignored("no turn has this request id");
  const { mapping, standing, turn } = scope;
  if (standing === "fenced") return ignored("a newer link has taken over");
  if (turn?.inFlight === true) noteHeard(scope, turn, "thread_created");
  if (mapping.zedThreadId === threadId) {
    showAlive(scope);
    return counted;
  }
  const why = await whyNotAdopt(scope, threadId);
  if (why !== null) return ignored(why);
  mapping.zedThreadId = threadId;
  if (standing === "current") mapping.openedEpoch = source.epoch;
  unit.log.mapping(mapping);
  showAlive(scope);
  if (mapping.outcome === null) {
    mapping.owe("active");
    unit.ringReports();
  }
  return counted;
}

async function whyNotAdopt({ unit, mapping, turn, instance }: EventScope, threadId: string): Promise<string | null> {
  if (mapping.ended) return "the thread has ended";
  if (mapping.zedThreadId !== null) return "the thread has another name already";
  if (await unit.threads.isTaken(instance.id, threadId)) return "the thread is another session's";
  if (turn?.inFlight === true) return null;
  const waitsForOther = (await unit.turns.inFlight(mapping.id)) !== null;
  return waitsForOther || turn?.status === "queued" ? "its attempt is over" : null;
}
