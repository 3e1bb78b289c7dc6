// The change log: every change of a task or a work session, numbered densely and in the order of commits
//
// Watches read it with one cursor, "everything up to n". That is sound only if no smaller number can turn up later. A
// plain sequence breaks this: it gives numbers before the commit, so 7 may become visible before 6 does, and a reader
// that is at 7 never sees 6. A counter row that is locked until the commit keeps the promise, but then one transaction
// commits at a time. So here the number comes after the commit:
//
//   transaction          append rows without a number (this file); commit
//   right after commit   sequence_changes(): lock the head, number everything that is committed and has none, advance
//                        the head, notify (migrations/0002)
//   watchers             read (cursor, head]
//
// In order: numbers are given in batches, each of what was committed when the batch began, so whatever is in a later
// batch was committed later. Within a batch transactions are placed by the id of their first row. Appending is the last
// thing a transaction does, when it holds all its row locks; so of two transactions that touch the same resource, or of
// which one began after the other's commit, the later one also has the higher ids.
// Atomic: the rows of a transaction become visible together, hence are in one batch, and are placed side by side.
// Reliable: a process that dies between commit and numbering loses nothing. Its rows wait for the next batch, which any
// process begins that commits something or that has a watcher, at its next poll.
// Group commit: many transactions share one batch, so the head's lock is held for microseconds, and not across a commit.
//
// A row says what a resource is after the change, whole, and what a filter can ask about what it was before. So a watch
// can tell "changed" from "no longer matches" without remembering anything.
//
// Within a transaction: new tasks, then work sessions, then other tasks. So the end of a task comes after the ends of its
// sessions.

import { runStatement } from "@helix-zed/persistence";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Task } from "../domain/task.ts";
import type { WorkSession } from "../domain/work-session.ts";
import type { TaskTraits, WorkSessionTraits } from "../domain/filter/filter-fields.ts";
import { traitsOfTask, traitsOfWorkSession } from "./change.ts";

type Resource = Task | WorkSession;

interface Touched {
  readonly before: TaskTraits | WorkSessionTraits | null;
  readonly version: number;
  isRemoved: boolean;
}

/** Remembers what one transaction touches, and appends it to the log at the end. */
export class ChangeRecorder {
  readonly #em: EntityManager;
  readonly #touched = new Map<Resource, Touched>();

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** A resource that was locked and may be changed. To be called before anything is. */
  locked(resource: Resource): void {
    if (this.#touched.has(resource)) return;
    const before = resource instanceof Task ? traitsOfTask(resource) : traitsOfWorkSession(resource);
    this.#touched.set(resource, { before, version: resource.version, isRemoved: false });
  }

  /** A resource that is new. */
  added(resource: Resource): void {
    this.#touched.set(resource, { before: null, version: 0, isRemoved: false });
  }

  /** A locked resource that is deleted. */
  removed(resource: Resource): void {
    const touched = this.#touched.get(resource);
    if (touched === undefined) throw new Error("Only what was locked can be removed.");
    touched.isRemoved = true;
  }

  /** Writes what changed, and says whether anything did. To be called last: see above. */
  async append(): Promise<boolean> {
    await this.#em.flush();
    const rows = [...this.#touched]
      .filter(([resource, { isRemoved, version }]) => isRemoved || resource.version !== version)
      .map(([resource, touched]) => rowOf(resource, touched))
      .toSorted((a, b) => a.stage - b.stage);
    if (rows.length === 0) return false;
    await runStatement(this.#em, appendRows, [JSON.stringify(rows.map((row, place) => ({ ...row, place })))]);
    return true;
  }
}

// Each state is read by its key: a join would be planned for tables of any size, and may read all of one.
const appendRows = `
  insert into change_log (tenant, kind, ref_id, task_id, before, after)
  select tenant, kind, ref_id, task_id, before, case kind
      when 'task' then (select to_jsonb(t) from tasks t where t.id = ref_id)
      else (select to_jsonb(w) from work_sessions w where w.id = ref_id)
    end
  from jsonb_to_recordset($1::jsonb)
    as c (place integer, tenant text, kind text, ref_id text collate "C", task_id text, before jsonb)
  order by place`;

function rowOf(resource: Resource, { before }: Touched) {
  const { id, tenant } = resource;
  if (!(resource instanceof Task)) {
    return { stage: 2, tenant, kind: "work_session", ref_id: id, task_id: resource.taskId, before };
  }
  return { stage: before === null ? 1 : 3, tenant, kind: "task", ref_id: id, task_id: id, before };
}
