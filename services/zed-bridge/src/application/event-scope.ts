import type { SyncEventType } from "@helix-zed/sync-protocol";
import { redact } from "../domain/redact.ts";
import { type Standing, standingOf } from "../domain/standing.ts";
import type { Turn } from "../domain/turn.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import type { EventSource } from "./received-event.ts";
import { moveThread, type ThreadScope } from "./thread-scope.ts";

/** The thread that an event is about, locked, with the turn that its request id names in that thread. */
export interface EventScope extends ThreadScope {
  readonly instance: ZedInstance;
  readonly epoch: number;
  readonly turn: Turn | null;
  readonly standing: Standing;
}

/** What an event says about whom it means. */
export interface EventTarget {
  /** Empty: the thread of the request. */
  readonly threadId: string;
  readonly requestId: string;
}

/** Finds and locks the thread that is meant; `null` if there is none. */
export async function openEvent(
  app: App,
  unit: Unit,
  { instanceId, epoch }: EventSource,
  { threadId, requestId }: EventTarget,
): Promise<EventScope | null> {
  const mapping =
    threadId === ""
      ? await lockOfRequest(unit, instanceId, requestId)
      : await unit.threads.lockOfThread(instanceId, threadId);
  if (mapping === null) return null;
  const turn = await findMeant(unit, mapping.id, { threadId, requestId });
  const instance = await unit.instances.find(instanceId);
  if (instance === null) return null;
  const { linkEpoch, launchCount: launch } = instance;
  const standing = standingOf({ epoch, linkEpoch, launch, turn });
  return { unit, mapping, instance, epoch, turn, standing, limits: app.limits, now: app.world.now() };
}

/** Why an event about a turn in flight means nothing, or `null` if it does. */
export function whyNot({ turn, standing }: EventScope): string | null {
  if (turn === null) return "no turn of the thread has this request id";
  if (standing === "fenced") return "a newer link has taken over";
  if (turn.ended) return "the turn has ended already";
  return turn.inFlight ? null : "its attempt is over";
}

/** The thread has shown that it is alive on the current link. An afterword shows nothing. */
export function showAlive(scope: EventScope): void {
  const { mapping, standing, epoch, now } = scope;
  if (standing !== "current" || mapping.ended) return;
  mapping.openedEpoch = epoch;
  mapping.openFailures = 0;
  mapping.openNotBefore = null;
  mapping.lastActivityAt = now;
  moveThread(scope, "live", mapping.statusReason === "CONTEXT_LOST" ? "CONTEXT_LOST" : "");
}

/** An editor's words without secrets. */
export function clean(app: App, { instance }: EventScope, text: string): string {
  return redact(text, { texts: app.secrets, tokenHash: instance.tokenHash });
}

/**
 * The turn that the request id names in the thread; where that has ended or is none, the one that somebody has typed in
 * the editor: it goes by the id of the turn before it, or by none.
 */
async function findMeant(unit: Unit, mappingId: string, { threadId, requestId }: EventTarget): Promise<Turn | null> {
  const named = requestId === "" ? null : await unit.turns.find(mappingId, requestId);
  if (named !== null && !named.ended) return named;
  const typed = await unit.turns.typedInFlight(mappingId);
  if (typed === null) return named;
  return threadId !== "" || typed.wireId === requestId ? typed : named;
}

/** Something was heard of a turn on this connection. */
export function noteHeard({ epoch, now }: EventScope, turn: Turn, what: SyncEventType): void {
  turn.heardCount += 1;
  turn.heardAt = now;
  turn.heardEpoch = Math.max(turn.heardEpoch, epoch);
  turn.heardLast = what;
}

async function lockOfRequest(unit: Unit, instanceId: string, requestId: string) {
  const mappingId = await unit.turns.mappingOf(instanceId, requestId);
  return mappingId === null ? null : unit.threads.lock(mappingId);
}
