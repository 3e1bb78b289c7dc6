import type { EntityManager } from "@mikro-orm/postgresql";
import type { Change, TaskTraits, WorkSessionTraits } from "./change.ts";
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
    | { readonly kind: "task"; readonly before: TaskTraits | null; readonly after: TaskRow | null }
    | {
        readonly kind: "work_session";
        readonly before: WorkSessionTraits | null;
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

/** Reads numbered changes, in order. */
export async function readChanges(em: EntityManager, { after, upTo, tenant, limit }: LogRange): Promise<SizedChange[]> {
  const rows = await em.execute<LogRow[]>(
    `select seq, id, tenant, kind, ref_id, task_id, before, after, coalesce(pg_column_size(after), 0) as bytes
     from change_log where seq > ? and seq <= ? ${tenant === null ? "" : "and tenant = ?"} order by seq limit ?`,
    [after, upTo, ...(tenant === null ? [] : [tenant]), limit],
  );
  return rows.map((row) => ({ change: changeFromRow(row), bytes: row.bytes }));
}

/** The ends of the log: which one it is, the last number given out, and the number before the oldest that is kept. */
export interface LogBounds {
  readonly epoch: string;
  readonly head: number;
  readonly floor: number;
}

/** Reads the ends of the log. */
export async function readBounds(em: EntityManager): Promise<LogBounds> {
  const rows = await em.execute<{ epoch: string; head: string; floor: string }[]>(
    `select h.epoch, h.seq as head, coalesce((select min(seq) - 1 from change_log where seq is not null), h.seq) as floor
     from change_head h`,
  );
  const row = rows[0];
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
    ? { ...facts, kind: row.kind, before: row.before, after: row.after && taskFromRow(row.after) }
    : { ...facts, kind: row.kind, before: row.before, after: row.after && workSessionFromRow(row.after) };
}
