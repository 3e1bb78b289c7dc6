import { judgeUserEntry } from "../domain/entry-place.ts";
import { redact } from "../domain/redact.ts";
import { isThreadOver, ThreadMapping } from "../domain/thread-mapping.ts";
import type { LightThread } from "../persistence/thread-repository.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { hearUnknown } from "./editor-threads.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { moveThread, type ThreadScope } from "./thread-scope.ts";
import { beginTyped, type UserEntryData } from "./typed-turn.ts";

/** A person's words, and the thread that they are said in; `null`: one that is not known. */
export interface UserEntry {
  readonly data: UserEntryData;
  readonly position: number;
  readonly thread: LightThread | null;
}

/** Somebody has said something in the editor. What the bridge had said itself is known already. */
export async function receiveUserEntry(
  app: App,
  unit: Unit,
  source: EventSource,
  { data, position, thread }: UserEntry,
): Promise<ReceivedEvent> {
  if (thread === null) return hearUnknown(app, unit, source, { event_type: "message_added", data });
  const mapping = await unit.em.findOneOrFail(ThreadMapping, { id: thread.id });
  const context = await unit.entries.userContextOf(thread.id, data.message_id, data.content);
  const current = await unit.turns.inFlight(thread.id);
  const { epoch } = source;
  const verdict = judgeUserEntry({
    ...context,
    epoch,
    position,
    threadEnded: isThreadOver(thread.status),
    alive: mapping.openedEpoch === context.linkEpoch,
    turn: current && { status: current.status, saysTheSame: current.message.trim() === data.content.trim() },
  });
  if (verdict.kind === "known") return ignored(verdict.why);
  const scope: ThreadScope = { unit, mapping, limits: app.limits, now: app.world.now() };
  const { launch, tokenHash } = context;
  const words = redact(data.content, { texts: app.secrets, tokenHash });
  const typed = { words, position, requestId: data.request_id, epoch, launch };
  const turn = verdict.kind === "within" && current !== null ? current : await beginTyped(app, scope, typed);
  moveThread(scope, "live");
  const entry = { turn, launch, epoch, messageId: data.message_id, position, content: words, now: scope.now };
  const id = app.world.newId("ent");
  if (await unit.entries.addWords(id, entry)) unit.log.entry(mapping, id);
  return counted;
}
