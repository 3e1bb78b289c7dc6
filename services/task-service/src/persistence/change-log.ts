// The change log: every change of a task or a work session, numbered densely and in the order of commits
//
// Watches read it with one cursor, "everything up to n". That is sound only if no smaller number can turn up later. A
// plain sequence breaks this: it gives numbers before the commit, so 7 may become visible before 6 does, and a reader
// that is at 7 never sees 6. A counter row that is locked until the commit keeps the promise, but then one transaction
// commits at a time. So here the number comes after the commit:
//
//   transaction          append rows without a number (write-changes.ts); commit
//   right after commit   sequence_changes(): lock the head, number everything that is committed and has none, advance
//                        the head, notify (migrations/0002)
//   watchers             read (cursor, head]
//
// In order: numbers are given in batches, each of what was committed when the batch began, so whatever is in a later
// batch was committed later. Within a batch transactions are placed by the id of their first row. A transaction appends
// when all that it writes is written and all its row locks are held; so of two transactions that touch the same resource,
// or of which one began after the other's commit, the later one also has the higher ids.
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

import type { Statement } from "@helix-zed/persistence";
import type { ChangeSet } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Task } from "../domain/task.ts";
import { WorkSession } from "../domain/work-session.ts";
import type { TaskTraits, WorkSessionTraits } from "../domain/filter/filter-fields.ts";
import { traitsOfTask, traitsOfWorkSession } from "./change.ts";
import { type LogEntry, writingOf } from "./write-changes.ts";

type Resource = Task | WorkSession;

interface Touched {
  readonly before: TaskTraits | WorkSessionTraits | null;
  isRemoved: boolean;
}

/** Remembers what one transaction touches, and tells at its end how to write that and append it to the log. */
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
    this.#touched.set(resource, { before, isRemoved: false });
  }

  /** A resource that is new. */
  added(resource: Resource): void {
    this.#touched.set(resource, { before: null, isRemoved: false });
  }

  /** A locked resource that is deleted. */
  removed(resource: Resource): void {
    const touched = this.#touched.get(resource);
    if (touched === undefined) throw new Error("Only what was locked can be removed.");
    touched.isRemoved = true;
  }

  /** The statement that writes all that has changed, if anything has. To be one of the last of the transaction: see above. */
  writing(): Statement | null {
    const unitOfWork = this.#em.getUnitOfWork();
    unitOfWork.computeChangeSets();
    const changes: ChangeSet<object>[] = unitOfWork.getChangeSets();
    const changed = new Set(changes.map(({ entity }) => entity));
    for (const { entity } of changes) countVersion(entity);
    const entries = [...this.#touched]
      .filter(([resource, { isRemoved }]) => isRemoved || changed.has(resource))
      .toSorted((a, b) => stageOf(...a) - stageOf(...b));
    if (entries.length === 0) return null;
    return writingOf(
      changes,
      entries.map(([resource, touched]) => entryOf(resource, touched)),
    );
  }
}

/** New ones are of version 1. */
function countVersion(entity: object): void {
  if (entity instanceof Task || entity instanceof WorkSession) entity.version = (entity.version ?? 0) + 1;
}

function stageOf(resource: Resource, { before }: Touched): number {
  if (!(resource instanceof Task)) return 2;
  return before === null ? 1 : 3;
}

function entryOf(resource: Resource, { before, isRemoved: isGone }: Touched): LogEntry {
  const { id, tenant } = resource;
  return resource instanceof Task
    ? { resource, kind: "task", id, tenant, taskId: id, before, isGone }
    : { resource, kind: "work_session", id, tenant, taskId: resource.taskId, before, isGone };
}
