// Threads that people begin in their editor
//
// A person may begin a thread in the editor's own window, where no session asked for one. It becomes a work session, once:
//
//   draft ──first words──▶ wanted ──task-service has made a session──▶ created ──its claim is here──▶ bound
//                             └──── task-service says no ──▶ refused
//
// A draft alone makes nothing: editors announce threads that nobody ever says a word in. What is said before the session
// is there is kept, the newest state of each entry, and taken in as if it had just been said when the thread has its
// mapping. Rows like these are written for what a person says only, and so many for one editor.
import type { SyncEvent } from "@helix-zed/sync-protocol";
import { redact } from "../domain/redact.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { EditorThread, EditorThreadKey } from "../domain/editor-thread.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { type EventSource, ignored, type ReceivedEvent, threadUnknown } from "./received-event.ts";

const EVENTS_MAX = 2_000;
const FIRST_WORDS_LENGTH_MAX = 4_096;

const noted: ReceivedEvent = { wake: false, ignored: null };

/** An entry of a thread that no session has, or the end of a turn in it. */
export type UnknownThreadEvent = SyncEvent<"message_added"> | SyncEvent<"message_completed">;

/** Keeps what is said in a thread that a person began; anything else about an unknown thread is nobody's. */
export async function hearUnknown(
  app: App,
  unit: Unit,
  source: EventSource,
  event: UnknownThreadEvent,
): Promise<ReceivedEvent> {
  const { acp_thread_id: zedThreadId } = event.data;
  const instance = await unit.instances.find(source.instanceId);
  if (instance === null || source.epoch !== instance.linkEpoch || zedThreadId === "") return threadUnknown;
  const key = { zedSessionId: instance.id, zedThreadId };
  const known = await unit.editorThreads.lock(key);
  const thread = (await withFirstWords(app, unit, { instance, key, known }, event)) ?? known;
  if (thread === null || (thread.status !== "wanted" && thread.status !== "created")) return threadUnknown;
  const kept = { key: keyOf(event, app), event };
  return (await unit.editorThreads.keep(key, kept, EVENTS_MAX)) ? noted : ignored("too much waits for the session");
}

/** A person has begun a thread. Without a word in it that means nothing yet. */
export async function hearUserCreatedThread(
  app: App,
  unit: Unit,
  source: EventSource,
  { acp_thread_id: zedThreadId, title }: SyncEvent<"user_created_thread">["data"],
): Promise<ReceivedEvent> {
  const instance = await unit.instances.find(source.instanceId);
  if (instance === null || source.epoch !== instance.linkEpoch) return ignored("a newer link has taken over");
  if (await unit.threads.isTaken(instance.id, zedThreadId)) return ignored("the thread is known already");
  const key = { zedSessionId: instance.id, zedThreadId };
  const known = await unit.editorThreads.lock(key);
  if (known !== null) return nameEditorThread(unit, source, { acp_thread_id: zedThreadId, title: title ?? "" });
  if (await isFull(app, unit, instance)) return ignored("too many threads wait for a session");
  await unit.editorThreads.put(newThread(key, instance, title ?? ""), app.world.now());
  return noted;
}

/** A thread that waits for its session has a title. */
export async function nameEditorThread(
  unit: Unit,
  { instanceId }: EventSource,
  { acp_thread_id: zedThreadId, title }: SyncEvent<"thread_title_changed">["data"],
): Promise<ReceivedEvent> {
  const known = await unit.editorThreads.lock({ zedSessionId: instanceId, zedThreadId });
  if (known === null || title === "") return threadUnknown;
  await unit.editorThreads.setTitle(known, title);
  return noted;
}

interface Unbound {
  readonly instance: ZedInstance;
  readonly key: EditorThreadKey;
  readonly known: EditorThread | null;
}

/** With the first words of a person a thread is wanted as a session. */
async function withFirstWords(
  app: App,
  unit: Unit,
  { instance, key, known }: Unbound,
  { event_type: name, data }: UnknownThreadEvent,
): Promise<EditorThread | null> {
  if (name !== "message_added" || data.role !== "user" || data.content.trim() === "") return null;
  if (known !== null && known.status !== "draft") return null;
  // Said under a request of ours it is a frame that has lost its way.
  if (data.request_id !== "" && (await unit.turns.mappingOf(instance.id, data.request_id)) !== null) return null;
  if (known === null && (await isFull(app, unit, instance))) return null;
  const words = redact(data.content, { texts: app.secrets, tokenHash: instance.tokenHash });
  const firstWords = words.slice(0, FIRST_WORDS_LENGTH_MAX).toWellFormed();
  const thread = { ...(known ?? newThread(key, instance, "")), status: "wanted", firstWords } as const;
  await unit.editorThreads.put(thread, app.world.now());
  unit.ringEditorThreads();
  return thread;
}

async function isFull({ limits }: App, unit: Unit, { id }: ZedInstance): Promise<boolean> {
  return (await unit.editorThreads.countOpen(id)) >= limits.editorThreadsMax;
}

function newThread(key: EditorThreadKey, { launchCount: launch }: ZedInstance, title: string): EditorThread {
  return { ...key, status: "draft", title, firstWords: "", launch, workSessionId: null, attempts: 0 };
}

/** The newest state of an entry stands for those before; every end counts. */
function keyOf({ event_type: name, data }: UnknownThreadEvent, { world }: App): string {
  return name === "message_added" ? `entry ${data.message_id}` : world.newId("end");
}
