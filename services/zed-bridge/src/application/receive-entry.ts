import type { SyncEvent } from "@helix-zed/sync-protocol";
import { judgeEntry, positionOf } from "../domain/entry-place.ts";
import { redact } from "../domain/redact.ts";
import { ThreadMapping } from "../domain/thread-mapping.ts";
import { isThreadOver } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import type { ContextTurn, EntryContext } from "../persistence/entry-repository.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { moveThread, moveTurn, type ThreadScope } from "./thread-scope.ts";

// Entries arrive many times a second and mostly repeat what was said before, so this path is three statements: lock the
// thread, read what decides where the entry belongs, store it. Content never moves a turn. Only the first sign of a turn,
// the end of a silence, and a tool that asks or has been answered do; for those the entities are loaded.

const ASKING = ["Waiting for confirmation"];

/** An entry is new or has changed. */
export async function receiveEntry(
  app: App,
  unit: Unit,
  { instanceId, epoch }: EventSource,
  data: SyncEvent<"message_added">["data"],
): Promise<ReceivedEvent> {
  if (data.role === "user") return ignored("what people say is known here first");
  const position = positionOf(data.message_id);
  if (position === null) return ignored("the entry has no number");
  const thread = await unit.threads.lockLightly(instanceId, data.acp_thread_id);
  if (thread === null) return ignored("the thread is not known");
  const context = await unit.entries.contextOf(thread.id, instanceId, data.request_id);
  const verdict = judgeEntry({ ...context, epoch, threadEnded: isThreadOver(thread.status) });
  if (!verdict.take || context.turn === null) return ignored(verdict.take ? "" : verdict.why);
  const now = app.world.now();
  const { id: turnId, number: turnNumber, attempt } = context.turn;
  const place = { mappingId: thread.id, turnId, turnNumber, attempt, launch: context.launch, epoch, position };
  const news = await unit.entries.hear({
    id: app.world.newId("ent"),
    messageId: data.message_id,
    ...place,
    ...said(app, context, data),
    alive: verdict.alive,
    now,
  });
  if (news) unit.ringThread(thread.id);
  const isTool = data.entry_type === "tool_call";
  if (!verdict.moves || !isNewSign(thread, context.turn, isTool)) return { wake: false, ignored: null };
  return followSign(app, unit, { mappingId: thread.id, turnId, alive: verdict.alive, isTool, now });
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
  if (isTool) await followTool(scope, turn);
  if (turn.stalled) {
    turn.stalled = false;
    unit.log.turn(mapping, turn.id);
  }
  return { wake: revived || (started && turn.cancelRequestedAt !== null), ignored: null };
}

async function followTool(scope: ThreadScope, turn: Turn): Promise<void> {
  const asks = await scope.unit.entries.hasTool(turn.id, turn.sentLaunch, ASKING);
  moveTurn(scope, turn, asks ? "ask" : "resume");
}
