import { type Actor, Refusal } from "@helix-zed/domain";
import { type Batch, followLog, TokenCodec } from "@helix-zed/persistence";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { Reason } from "../domain/reason.ts";
import { ThreadEntry } from "../domain/thread-entry.ts";
import { ThreadMapping } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import { type LogRow, readThreadLog } from "../persistence/thread-log-reader.ts";
import type { App } from "./app.ts";
import { keyFor, threadNotFound, type ThreadView, viewThread } from "./thread-view.ts";
import { type TurnView, viewTurns } from "./turn-view.ts";

// Watching a thread
//
// The log has one row for each resource, with the number of its newest change, so a snapshot is nothing else than the log
// read from the beginning: everything there is, each once. It is complete ("synced") when a read, in one consistent state
// of the database, has come to the log's end. From then on each read gives what changed since, as it is at that moment:
// the newest version stands for those in between. The token of every message is the number up to which all was delivered,
// so a watch can be cut anywhere and resumed.
//
// The watch ends when the thread has ended and that was delivered.

/** Which thread to watch, and from where. */
export interface WatchZedThread {
  readonly workSessionId: string;
  /** Empty: from a snapshot. */
  readonly resumeToken: string;
}

/** What happened in a thread. */
export type ThreadChange =
  | { readonly kind: "thread"; readonly thread: ThreadView }
  | ({ readonly kind: "turn" } & TurnView)
  | { readonly kind: "entry"; readonly entry: ThreadEntry }
  | { readonly kind: "thread_deleted"; readonly id: string }
  | { readonly kind: "entry_deleted"; readonly id: string }
  | { readonly kind: "synced" }
  | { readonly kind: "progress" };

/** A change, and where to take the watch up after it. */
export interface WatchedChange {
  readonly change: ThreadChange;
  readonly resumeToken: string;
}

/** How often to look without a ring, and how long to say nothing. */
export interface WatchRhythm {
  readonly pollMs: number;
  readonly heartbeatMs: number;
}

const usualRhythm: WatchRhythm = { pollMs: 1_000, heartbeatMs: 10_000 };

interface Cursor {
  readonly seq: number;
  /** Whether the snapshot was complete, or was not asked for. */
  readonly synced: boolean;
}

interface Item {
  readonly change: ThreadChange;
  readonly seq: number;
}

const tokens = new TokenCodec<number>({
  kind: "zed-thread-watch",
  reason: "RESUME_TOKEN_INVALID",
  version: 1,
  parse: (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined),
});

/** Yields a thread as it is and then each change. Refuses with ZED_THREAD_NOT_FOUND, RESUME_TOKEN_…. */
export async function* watchZedThread(
  app: App,
  actor: Actor,
  { workSessionId, resumeToken }: WatchZedThread,
  { signal, rhythm = usualRhythm }: { readonly signal: AbortSignal; readonly rhythm?: WatchRhythm },
): AsyncGenerator<WatchedChange, void, undefined> {
  const mapping = await app.database.transact(({ threads }) => threads.find(keyFor(actor, workSessionId)));
  if (mapping === null) throw threadNotFound(workSessionId);
  const { id } = mapping;
  const ear = app.database.doorbell.listen(`thread:${id}`);
  const withToken = (change: ThreadChange, seq: number): WatchedChange => ({
    change,
    resumeToken: tokens.encode(seq, id),
  });
  try {
    const read = (cursor: Cursor): Promise<Batch<Cursor, Item>> => readChanges(app, id, cursor);
    for await (const step of followLog({ from: startOf(mapping, resumeToken), read, ear, signal, ...rhythm })) {
      if (step.kind === "item") yield withToken(step.item.change, step.item.seq);
      else yield withToken({ kind: "progress" }, step.cursor.seq);
    }
  } finally {
    ear.close();
  }
}

function startOf({ id, logSeq }: ThreadMapping, resumeToken: string): Cursor {
  if (resumeToken === "") return { seq: 0, synced: false };
  const seq = tokens.decode(resumeToken, id);
  if (seq <= logSeq) return { seq, synced: true };
  throw new Refusal<Reason>("RESUME_TOKEN_OUT_OF_RANGE", "resume_token is from a future that has not happened here.");
}

function readChanges({ database }: App, mappingId: string, cursor: Cursor): Promise<Batch<Cursor, Item>> {
  return database.snapshot(async (em) => {
    const mapping = await em.findOne(ThreadMapping, { id: mappingId });
    if (mapping === null || mapping.deletedAt !== null) return deletion(mappingId, cursor);
    const { rows, more } = await readThreadLog(em, mappingId, cursor.seq);
    const items = await loadItems(em, mapping, rows, cursor.synced);
    const seq = rows.at(-1)?.seq ?? cursor.seq;
    if (!more && !cursor.synced) items.push({ change: { kind: "synced" }, seq });
    return { items, cursor: { seq, synced: cursor.synced || !more }, more, ended: !more && mapping.ended };
  });
}

function deletion(mappingId: string, cursor: Cursor): Batch<Cursor, Item> {
  const change: ThreadChange = { kind: "thread_deleted", id: mappingId };
  return { items: [{ change, seq: cursor.seq }], cursor, more: false, ended: true };
}

async function loadItems(
  em: EntityManager,
  mapping: ThreadMapping,
  rows: readonly LogRow[],
  withTombstones: boolean,
): Promise<Item[]> {
  const idsOf = (kind: LogRow["kind"]): string[] =>
    rows.filter((row) => row.kind === kind && !row.deleted).map(({ refId }) => refId);
  const views = await viewTurns(em, await em.find(Turn, { id: { $in: idsOf("turn") } }));
  const turns = new Map(views.map((view) => [view.turn.id, view]));
  const entries = byId(await em.find(ThreadEntry, { id: { $in: idsOf("entry") } }));
  const thread = idsOf("mapping").length > 0 ? await viewThread(em, mapping) : undefined;
  return rows.flatMap((row) => {
    const change = changeOf(row, { thread, turn: turns.get(row.refId), entry: entries.get(row.refId) });
    return change === null || (row.deleted && !withTombstones) ? [] : [{ change, seq: row.seq }];
  });
}

function changeOf(
  { kind, refId, deleted }: LogRow,
  {
    thread,
    turn,
    entry,
  }: { thread: ThreadView | undefined; turn: TurnView | undefined; entry: ThreadEntry | undefined },
): ThreadChange | null {
  if (deleted) return { kind: "entry_deleted", id: refId };
  if (kind === "mapping" && thread !== undefined) return { kind: "thread", thread };
  if (kind === "turn" && turn !== undefined) return { kind: "turn", ...turn };
  return kind === "entry" && entry !== undefined ? { kind: "entry", entry } : null;
}

function byId<T extends { readonly id: string }>(things: readonly T[]): Map<string, T> {
  return new Map(things.map((thing) => [thing.id, thing]));
}
