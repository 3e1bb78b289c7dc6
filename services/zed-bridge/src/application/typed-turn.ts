// Turns that are typed in the editor
//
// A person may speak in a thread without the bridge: in the editor's own window. The editor is at work on that as on any
// turn, so it is one here: it holds the thread, ends, and is in the transcript. It is never handed over by the bridge, and
// when the editor dies it fails: whoever typed it is there to see that.
import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Turn } from "../domain/turn.ts";
import type { App } from "./app.ts";
import type { EventScope } from "./event-scope.ts";
import { queueTurn } from "./queue-turn.ts";
import { moveTurn, type ThreadScope } from "./thread-scope.ts";

/** What was typed, and what the editor knows of it. */
export interface TypedWords {
  readonly words: string;
  /** The place of the words in the thread. */
  readonly position: number;
  /** The request id that it goes by in the editor; empty for none. */
  readonly requestId: string;
  readonly epoch: number;
  readonly launch: number;
}

/** A prompt can be so long, in UTF-16 units; the entry has all of it. */
const MESSAGE_LENGTH_MAX = 65_536;

/** Begins a turn that the editor is at work on already. No other may be in flight. */
export async function beginTyped(app: App, scope: ThreadScope, typed: TypedWords): Promise<Turn> {
  const { unit, mapping, now } = scope;
  // The one that was in flight must be seen to have ended before this one is.
  await unit.em.flush();
  const message = typed.words.slice(0, MESSAGE_LENGTH_MAX).toWellFormed();
  const asked = { message, interrupt: false, callerRequestId: null, payloadHash: null, origin: "editor" } as const;
  const turn = queueTurn(app, scope, asked);
  moveTurn(scope, turn, "send");
  moveTurn(scope, turn, "start");
  const { epoch, launch, position: anchor, requestId: wireId } = typed;
  Object.assign(turn, { attempt: 1, sentEpoch: epoch, sentLaunch: launch, sentAt: now, anchor, wireId });
  mapping.lastActivityAt = now;
  await unit.em.flush();
  return turn;
}

/** Words that were typed while a turn ran, and that the end of that turn left unanswered, begin the next. */
export async function beginUnanswered(app: App, scope: EventScope, ended: Turn): Promise<void> {
  const { unit, mapping, epoch } = scope;
  if (mapping.ended || !ended.ended) return;
  const last = await unit.entries.unansweredWords(ended);
  if (last === null) return;
  const { content: words, position, id } = last;
  const requestId = ended.nameInEditor;
  const turn = await beginTyped(app, scope, { words, position, requestId, epoch, launch: ended.sentLaunch });
  await unit.entries.moveWords(id, turn);
  unit.log.entry(mapping, id);
}

/** What a person said, as an event has it. */
export type UserEntryData = SyncEvent<"message_added">["data"];
