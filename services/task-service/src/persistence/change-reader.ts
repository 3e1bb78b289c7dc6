import type { EntityManager } from "@mikro-orm/postgresql";
import type { TaskTraits, WorkSessionTraits } from "../domain/filter/filter-fields.ts";
import { type Change, type StoredTraits, traitsFrom } from "./change.ts";
import { type TaskRow, taskFromRow, type WorkSessionRow, workSessionFromRow } from "./rows.ts";

interface LogFacts {
  readonly seq: string;
  readonly id: string;
  readonly tenant: string;
  readonly ref_id: string;
  readonly task_id: string;
  readonly bytes: number;
}

/** As change-log.ts writes them: `kind` says what the two states are. */
type LogRow = LogFacts &
  (
    | { readonly kind: "task"; readonly before: StoredTraits<TaskTraits> | null; readonly after: TaskRow | null }
    | {
        readonly kind: "work_session";
        readonly before: StoredTraits<WorkSessionTraits> | null;
        readonly after: WorkSessionRow | null;
      }
  );

/** A change, and about how much memory it takes. */
export interface SizedChange {
  readonly change: Change;
  readonly bytes: number;
}

/** Which part of the log: numbers from `after` (exclusive) to `upTo` (inclusive), of one tenant or (`null`) of all. */
export interface LogRange {
  readonly after: number;
  readonly upTo: number;
  readonly tenant: string | null;
  readonly limit: number;
}

/** A piece of the log, and the log's floor at the moment when it was read: above `after`, the piece has a gap. */
export interface LogPiece {
  readonly changes: readonly SizedChange[];
  readonly floor: number;
}

/** Reads numbered changes, in order. */
export async function readChanges(em: EntityManager, { after, upTo, tenant, limit }: LogRange): Promise<LogPiece> {
  const rows = await em.execute<({ floor: string } & (LogRow | { seq: null }))[]>(
    `select h.floor, c.* from change_head h left join lateral (
       select seq, id, tenant, kind, ref_id, task_id, before, after, coalesce(pg_column_size(after), 0) as bytes
       from change_log where seq > ? and seq <= ? ${tenant === null ? "" : "and tenant = ?"} order by seq limit ?
     ) c on true order by c.seq`,
    [after, upTo, ...(tenant === null ? [] : [tenant]), limit],
  );
  const changes = rows.flatMap((row) => (row.seq === null ? [] : [{ change: changeFromRow(row), bytes: row.bytes }]));
  return { changes, floor: Number(rows[0]?.floor) };
}

/** The ends of the log: which one it is, the last number given out, and the number before the oldest that is kept. */
export interface LogBounds {
  readonly epoch: string;
  readonly head: number;
  readonly floor: number;
}

interface HeadRow {
  readonly epoch: string;
  readonly head: string;
  readonly floor: string;
}

/** Reads the ends of the log. */
export async function readBounds(em: EntityManager): Promise<LogBounds> {
  return boundsFrom(await em.execute<HeadRow[]>("select epoch, seq as head, floor from change_head"));
}

/**
 * Numbers what is committed and has no number yet, and reads the ends of the log. If asked to look around, it begins a new
 * epoch where the log turns out to live elsewhere than it did.
 */
export async function refreshLog(em: EntityManager, { lookAround }: { lookAround: boolean }): Promise<LogBounds> {
  return boundsFrom(await em.execute<HeadRow[]>("select * from refresh_log(?)", [lookAround]));
}

/** Begins a new epoch of a log that was further once than it is now. Whoever comes second finds it done. */
export async function beginEpoch(em: EntityManager, { epoch, head }: LogBounds): Promise<void> {
  await em.execute("update change_head set epoch = gen_random_uuid() where epoch = ? and seq < ?", [epoch, head]);
}

/** What the log keeps at least: changes younger than this, and this many. */
export interface LogRetention {
  readonly logRetentionMs: number;
  readonly logRetentionChanges: number;
  readonly logCompactionBatchMax: number;
}

/** Drops a batch of the oldest changes that need not be kept. Says how many; none while another process does so. */
export async function compactChanges(em: EntityManager, retention: LogRetention): Promise<number> {
  const { logRetentionMs, logRetentionChanges, logCompactionBatchMax } = retention;
  const values = [logRetentionMs, logRetentionChanges, logCompactionBatchMax];
  const rows = await em.execute<{ dropped: number }[]>("select compact_changes(?, ?, ?) as dropped", values);
  return rows[0]?.dropped ?? 0;
}

function boundsFrom([row]: readonly HeadRow[]): LogBounds {
  if (row === undefined) throw new Error("The change log has no head.");
  return { epoch: row.epoch, head: Number(row.head), floor: Number(row.floor) };
}

/** Ids of the rows of a tenant (`null`: of all) that are committed and have no number yet. */
export async function readUnnumbered(em: EntityManager, tenant: string | null): Promise<number[]> {
  const rows = await em.execute<{ id: string }[]>(
    `select id from change_log where seq is null ${tenant === null ? "" : "and tenant = ?"} order by id`,
    tenant === null ? [] : [tenant],
  );
  return rows.map(({ id }) => Number(id));
}

function changeFromRow(row: LogRow): Change {
  const { tenant, ref_id: refId, task_id: taskId } = row;
  const facts = { seq: Number(row.seq), id: Number(row.id), tenant, refId, taskId };
  return row.kind === "task"
    ? { ...facts, kind: row.kind, before: traitsFrom(row.before), after: row.after && taskFromRow(row.after) }
    : { ...facts, kind: row.kind, before: traitsFrom(row.before), after: row.after && workSessionFromRow(row.after) };
}
