// Writing what a transaction has changed: one statement for all of it
//
// The unit of work knows which entities are new, changed or gone. Its own way of writing them is a statement for each,
// with the values in its text, so that PostgreSQL parses and plans every one anew. Here they are one statement, whose text
// depends only on what kinds of changes there are, so that it is prepared; the rows are parameters, as JSON. The rows of
// the change log are written by the same statement, from what its other parts return:
//
//    with create_tasks as (insert into tasks … returning *), update_work_sessions as (…), …
//    insert into change_log … select …, the row as it is now, …
//
// Of a changed row all columns are set that can change: each to its new value, or to the one that it has. Who changes a
// row has locked it before; should it not be there nevertheless, the statement fails.

import type { Statement } from "@helix-zed/persistence";
import { type ChangeSet, ChangeSetType } from "@mikro-orm/core";

/** A change as the log keeps it, without the row itself. */
export interface LogEntry {
  readonly tenant: string;
  readonly kind: "task" | "work_session";
  readonly ref_id: string;
  readonly task_id: string;
  /** What a filter can ask about what it was; `null` for what is new. */
  readonly before: unknown;
  readonly is_gone: boolean;
}

const STATUS = ["status", "status_reason", "status_changed_at", "version", "updated_at", "started_at", "completed_at"];
const LEASE = ["runner", "lease_epoch", "lease_expires_at", "attempt"];

/** The columns that change, by table; all others stay as they were written first. */
const changeable: Readonly<Record<string, readonly string[]>> = {
  tasks: STATUS,
  work_sessions: [...STATUS, ...LEASE, "result", "helix_session_id", "spawned_by_session_id"],
};

type AnyChange = ChangeSet<object>;

/** The changes of one type in one table: one part of the statement, and its parameter. */
interface Part {
  readonly name: string;
  readonly sql: (parameter: string) => string;
  readonly rows: unknown;
}

/** The statement that writes changes and their entries in the log, in this order. */
export function writingOf(changes: readonly AnyChange[], entries: readonly LogEntry[]): Statement {
  const groups = Map.groupBy(changes, ({ type, meta }) => `${type}_${meta.tableName}`);
  const parts = [...groups].map(([name, group]) => partOf(name, group)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const withs = parts.map(({ name, sql }, place) => `${name} as (${sql(`$${place + 1}::jsonb`)})`);
  const states = parts.filter(isLogged).map(({ name }) => `select id, to_jsonb(r) as state from ${name} r`);
  const written = states.length > 0 ? states.join(" union all ") : "select null as id, null::jsonb as state";
  const text = `with ${[...withs, `written as (${written})`].join(", ")} ${appending(`$${parts.length + 1}::jsonb`)}`;
  const log = entries.map((entry, place) => ({ ...entry, place }));
  return { text, values: [...parts.map(({ rows }) => rows), log].map((rows) => JSON.stringify(rows)) };
}

function isLogged({ name }: Part): boolean {
  return /^(?:create|update)_(?:tasks|work_sessions)$/.test(name);
}

// Where a row ought to have been written and was not, there comes something that is no JSON, which fails.
function appending(entries: string): string {
  return `
    insert into change_log (tenant, kind, ref_id, task_id, before, after)
    select tenant, kind, ref_id, task_id, before,
      case when not is_gone then coalesce(state, ('There is no row of ' || ref_id)::jsonb) end
    from jsonb_to_recordset(${entries})
      as c (place integer, tenant text, kind text, ref_id text, task_id text, before jsonb, is_gone boolean)
    left join written on written.id = c.ref_id
    order by place`;
}

function partOf(name: string, changes: readonly AnyChange[]): Part {
  const [first] = changes;
  if (first === undefined) throw new Error("A part of nothing.");
  const { type, meta } = first;
  if (type === ChangeSetType.CREATE)
    return { name, sql: inserting(meta), rows: changes.map((change) => rowOf(change)) };
  if (type === ChangeSetType.DELETE) return { name, sql: deleting(meta), rows: changes.map(idOf) };
  return {
    name,
    sql: updating(meta),
    rows: Object.fromEntries(changes.map((change) => [idOf(change), patchOf(change)])),
  };
}

type Meta = AnyChange["meta"];

function inserting({ tableName, props }: Meta) {
  const columns = props.map(columnOf).join(", ");
  return (rows: string) =>
    `insert into ${tableName} (${columns}) select ${columns} from jsonb_populate_recordset(null::${tableName}, ${rows}) returning *`;
}

function updating({ tableName }: Meta) {
  const columns = (changeable[tableName] ?? []).join(", ");
  return (patches: string) =>
    `update ${tableName} r set (${columns}) = (select ${columns} from jsonb_populate_record(r, ${patches} -> r.id))
     where id = any(array(select jsonb_object_keys(${patches}))) returning r.*`;
}

function deleting({ tableName }: Meta) {
  return (ids: string) => `delete from ${tableName} where id = any(array(select jsonb_array_elements_text(${ids})))`;
}

function columnOf({ fieldNames: [column = ""] }: Meta["props"][number]): string {
  return column;
}

function rowOf({ entity, meta: { props } }: AnyChange, written = props) {
  return Object.fromEntries(written.map((prop): [string, unknown] => [columnOf(prop), Reflect.get(entity, prop.name)]));
}

function patchOf(change: AnyChange) {
  const { payload, meta } = change;
  const patch = rowOf(
    change,
    meta.props.filter(({ name }) => name === "version" || name in payload),
  );
  const fixed = Object.keys(patch).find((column) => !changeable[meta.tableName]?.includes(column));
  if (fixed !== undefined) throw new Error(`The column ${fixed} of ${meta.tableName} does not change.`);
  return patch;
}

function idOf({ entity }: AnyChange): string {
  return String(Reflect.get(entity, "id"));
}
