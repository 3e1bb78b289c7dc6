import type { SyncEvent } from "@helix-zed/sync-protocol";
import { judgeEntry, positionOf, turnOfEntry } from "../domain/entry-place.ts";
import { redact } from "../domain/redact.ts";
import { ThreadMapping } from "../domain/thread-mapping.ts";
import { isThreadOver } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import type { ContextTurn, EntryContext } from "../persistence/entry-repository.ts";
import type { LightThread } from "../persistence/thread-repository.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { hearUnknown } from "./editor-threads.ts";
import { followAsking } from "./follow-asking.ts";
import { receiveUserEntry } from "./receive-user-entry.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { moveThread, moveTurn, type ThreadScope } from "./thread-scope.ts";

// Entries arrive many times a second and mostly repeat what was said before, so this path is three statements: lock the
// thread, read what decides where the entry belongs, store it. Content never moves a turn. Only the first sign of a turn,
// the end of a silence, and a tool that asks or has been answered do; for those the entities are loaded.

/** An entry is new or has changed. */
export async function receiveEntry(
  app: App,
  unit: Unit,
  { instanceId, epoch }: EventSource,
  data: SyncEvent<"message_added">["data"],
): Promise<ReceivedEvent> {
  const position = positionOf(data.message_id);
  if (position === null) return ignored("the entry has no number");
  const { request_id: requestId, acp_thread_id: threadId } = data;
  const thread = await lockLightly(unit, instanceId, { threadId, requestId });
  if (data.role === "user") return receiveUserEntry(app, unit, { instanceId, epoch }, { data, position, thread });
  if (thread === null) return hearUnknown(app, unit, { instanceId, epoch }, { event_type: "message_added", data });
  const where = { mappingId: thread.id, zedSessionId: instanceId, requestId, position };
  const context = await unit.entries.contextOf(where);
  const turn = turnOfEntry(context.named, context.typed);
  const verdict = judgeEntry({ ...context, turn, epoch, threadEnded: isThreadOver(thread.status) });
  if (!verdict.take || turn === null) return ignored(verdict.take ? "" : verdict.why);
  const now = app.world.now();
  // What comes late may go by the id of a turn before its own, or by none. Whose it is is known by its number, if that was
  // heard before; only an id that names the turn in flight is better.
  const isSure = verdict.moves && requestId !== "";
  const owner = isSure ? turn : ((await unit.entries.ownerOf(where, data.message_id, context.launch)) ?? turn);
  const { id: turnId, number: turnNumber, attempt } = owner;
  const place = { mappingId: thread.id, turnId, turnNumber, attempt, launch: context.launch, epoch, position };
  const news = await unit.entries.hear({
    id: app.world.newId("ent"),
    messageId: data.message_id,
    role: "assistant",
    ...place,
    ...said(app, context, data),
    alive: verdict.alive,
    now,
  });
  if (news) unit.ringThread(thread.id);
  const isTool = data.entry_type === "tool_call";
  if (news && !verdict.moves && isGivenUp(turn)) return stopLate(unit, { instanceId, turnId, now });
  if (!verdict.moves || turnId !== turn.id || !isNewSign(thread, turn, isTool)) return { wake: false, ignored: null };
  return followSign(app, unit, { mappingId: thread.id, turnId, alive: verdict.alive, isTool, now });
}

/** The thread that is meant: what older editors say of an answer names only the request. */
async function lockLightly(
  unit: Unit,
  instanceId: string,
  { threadId, requestId }: { readonly threadId: string; readonly requestId: string },
): Promise<LightThread | null> {
  if (threadId !== "") return unit.threads.lockLightly(instanceId, threadId);
  const mappingId = await unit.turns.mappingOf(instanceId, requestId);
  return mappingId === null ? null : unit.threads.lockLightlyById(mappingId);
}

function said(app: App, { tokenHash }: EntryContext, data: SyncEvent<"message_added">["data"]) {
  const clean = (text: string): string => redact(text, { texts: app.secrets, tokenHash });
  return {
    type: data.entry_type,
    content: clean(data.content),
    toolName: clean(data.tool_name),
    toolStatus: data.tool_status,
  };
}

function isNewSign(thread: Pick<ThreadMapping, "status">, turn: ContextTurn, isTool: boolean): boolean {
  return isTool || turn.status === "sent" || turn.stalled || thread.status !== "active";
}

function isGivenUp({ status }: ContextTurn): boolean {
  return status === "interrupted" || status === "failed";
}

/** A turn that was given up before it had begun, begins: what waited in the editor's queue heard of no cancel. */
async function stopLate(
  unit: Unit,
  { instanceId, turnId, now }: { readonly instanceId: string; readonly turnId: string; readonly now: Date },
): Promise<ReceivedEvent> {
  const turn = await unit.em.findOneOrFail(Turn, { id: turnId });
  if (turn.startedAt !== null || turn.cancelRequestedAt === null) return { wake: false, ignored: null };
  Object.assign(turn, { startedAt: now, cancelSentEpoch: 0 });
  unit.ringInstance(instanceId);
  return counted;
}

interface Sign {
  readonly mappingId: string;
  readonly turnId: string;
  readonly alive: boolean;
  readonly isTool: boolean;
  readonly now: Date;
}

/** Lets turn and thread follow what an entry has shown. */
async function followSign(app: App, unit: Unit, sign: Sign): Promise<ReceivedEvent> {
  const { mappingId, turnId, alive, isTool, now } = sign;
  const mapping = await unit.em.findOneOrFail(ThreadMapping, { id: mappingId });
  const turn = await unit.em.findOneOrFail(Turn, { id: turnId });
  const scope: ThreadScope = { unit, mapping, limits: app.limits, now };
  const revived = alive && moveThread(scope, "live");
  const started = moveTurn(scope, turn, "start");
  // What was to be cancelled before it had begun can be now.
  if (started) turn.cancelSentEpoch = 0;
  if (isTool) await followAsking(scope, turn);
  if (turn.stalled) {
    turn.stalled = false;
    unit.log.turn(mapping, turn.id);
  }
  return { wake: revived || (started && turn.cancelRequestedAt !== null), ignored: null };
}
