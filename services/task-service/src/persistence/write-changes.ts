// Writing what a transaction has changed: one statement for all of it
//
// The unit of work knows which entities are new, changed or gone. Its own way of writing them is a statement for each,
// with the values in its text, so that PostgreSQL parses and plans every one anew. Here they are one statement with
// parameters; its text depends only on what kinds of changes there are, so the usual ones are prepared. The change log's
// rows are written by the same statement, from what its other parts return:
//
//    with new_tasks as (insert into tasks … returning *), change_1 as (update work_sessions … returning *), …,
//      entries as (select 0 as place, …, the row as it is now from new_tasks union all …)
//    insert into change_log … select … from entries order by place …
//
// Who changes a row has locked it before. Should it not be there nevertheless, there is an entry too few, and the
// statement fails.

import type { Statement } from "@helix-zed/persistence";
import { type ChangeSet, ChangeSetType } from "@mikro-orm/core";

/** What the log is to know of a resource beside its row. */
export interface LogEntry {
  readonly resource: object;
  readonly kind: "task" | "work_session";
  readonly id: string;
  readonly tenant: string;
  readonly taskId: string;
  /** What a filter can ask about what it was; `null` for what is new. */
  readonly before: object | null;
  readonly isGone: boolean;
}

type Change = ChangeSet<object>;

/** The statement that writes changes, and their entries in the log in this order. */
export function writingOf(changes: readonly Change[], entries: readonly LogEntry[]): Statement {
  const writing = new Writing();
  for (const group of Map.groupBy(of(changes, ChangeSetType.CREATE), ({ meta }) => meta.tableName).values()) {
    writing.insert(group);
  }
  for (const change of of(changes, ChangeSetType.UPDATE)) writing.update(change);
  for (const change of of(changes, ChangeSetType.DELETE)) writing.delete(change);
  for (const entry of entries) writing.log(entry);
  return writing.statement(entries.length);
}

function of(changes: readonly Change[], wanted: ChangeSetType): Change[] {
  return changes.filter(({ type }) => type === wanted);
}

class Writing {
  readonly #parts: string[] = [];
  readonly #values: unknown[] = [];
  readonly #entries: string[] = [];
  /** The parts that return the rows of entities. */
  readonly #partOf = new Map<object, string>();

  insert(changes: readonly Change[]): void {
    const [first] = changes;
    if (first === undefined) return;
    const { tableName, props } = first.meta;
    const written = props.filter(({ name }) => name in first.payload);
    const rows = changes.map(
      ({ payload }) => `(${written.map(({ name }) => this.#value(Reflect.get(payload, name))).join(", ")})`,
    );
    const columns = written.map(columnOf).join(", ");
    const part = this.#part(`insert into ${tableName} (${columns}) values ${rows.join(", ")} returning *`);
    for (const { entity } of changes) this.#partOf.set(entity, part);
  }

  update({ entity, payload, meta: { tableName, props } }: Change): void {
    const changed = props.filter(({ name }) => name in payload && name !== "version");
    const columns = changed.map((prop) => `${columnOf(prop)} = ${this.#value(Reflect.get(payload, prop.name))}`);
    const set = [...columns, "version = version + 1"].join(", ");
    const id = this.#value(idOf(entity));
    this.#partOf.set(entity, this.#part(`update ${tableName} set ${set} where id = ${id} returning *`));
  }

  delete({ entity, meta: { tableName } }: Change): void {
    this.#part(`delete from ${tableName} where id = ${this.#value(idOf(entity))}`);
  }

  log({ resource, kind, id, tenant, taskId, before, isGone }: LogEntry): void {
    const place = `${this.#entries.length} as place, '${kind}' as kind`;
    const was = `${before === null ? "null" : this.#value(JSON.stringify(before))}::jsonb as before`;
    const part = this.#partOf.get(resource);
    if (isGone) {
      const ids = `${this.#value(id)} as ref_id, ${this.#value(tenant)} as tenant, ${this.#value(taskId)} as task_id`;
      this.#entries.push(`select ${place}, ${ids}, ${was}, null::jsonb as after`);
    } else if (part !== undefined) {
      const ids = `id as ref_id, tenant, ${kind === "task" ? "id" : "task_id"} as task_id`;
      const row = `${part} where id = ${this.#value(id)}`;
      this.#entries.push(`select ${place}, ${ids}, ${was}, to_jsonb(${part}) as after from ${row}`);
    }
  }

  statement(entryCount: number): Statement {
    const entries = `entries as (${this.#entries.join(" union all ")})`;
    const text = `with ${[...this.#parts, entries].join(", ")}
      insert into change_log (tenant, kind, ref_id, task_id, before, after)
      select tenant, kind, ref_id, task_id, before, after from entries
      where 1 / (case (select count(*) from entries) when ${entryCount} then 1 else 0 end) = 1 order by place`;
    return { text, values: this.#values };
  }

  #part(sql: string): string {
    const name = `part_${this.#parts.length}`;
    this.#parts.push(`${name} as (${sql})`);
    return name;
  }

  #value(value: unknown): string {
    return `$${this.#values.push(value ?? null)}`;
  }
}

function columnOf({ fieldNames: [column = ""] }: Change["meta"]["props"][number]): string {
  return column;
}

function idOf(entity: object): string {
  return String(Reflect.get(entity, "id"));
}
