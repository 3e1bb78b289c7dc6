// From the log to what a watch says
//
// Each change says what its resource was and what it is. So whether a watch hears of it follows from the change alone:
//
//   matched before   matches now
//        -               yes        changed (new, or it came to match)
//       yes              yes        changed
//       yes               no        deleted (gone, or it stopped matching)
//        -                no        nothing
//
// What a named task has become is noted even where nothing is said, since the watch ends with the last of them.

import { fulfils } from "../domain/filter/filter-condition.ts";
import {
  type TaskTraits,
  valuesOfTask,
  valuesOfWorkSession,
  type WorkSessionTraits,
} from "../domain/filter/filter-fields.ts";
import { hasTaskEnded } from "../domain/task-lifecycle.ts";
import type { Change } from "../persistence/change.ts";
import type { ChangePage } from "../persistence/log-reader.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import type { WatchedResource } from "../persistence/watch-snapshot.ts";
import { hasEnded, type WatchCursor } from "./watch-cursor.ts";

/** Something that a watch says about a resource. */
export type ResourceEvent =
  | { readonly kind: "changed"; readonly resource: WatchedResource }
  | {
      readonly kind: "deleted";
      readonly resourceKind: WatchedResource["kind"];
      readonly id: string;
      readonly taskId: string;
      /** Whether the resource itself is gone, not only out of the filter. */
      readonly isGone: boolean;
    };

/** What a change means to a watch, and where the watch is then. */
export interface WatchItem {
  readonly change: Change;
  readonly event: ResourceEvent;
  readonly cursor: WatchCursor;
}

/** What a piece of the log means to a watch. */
export interface WatchStep {
  readonly items: readonly WatchItem[];
  readonly cursor: WatchCursor;
  readonly ended: boolean;
}

/** Reads a piece of the log for a watch that stands at a cursor. */
export function readForWatch(
  from: WatchCursor,
  { changes, upTo }: Exclude<ChangePage, "gone">,
  filter: WatchFilter,
): WatchStep {
  const items = [];
  let cursor = from;
  for (const change of changes) {
    const isInSnapshot = cursor.skip.includes(change.id);
    cursor = moveTo(cursor, change, filter);
    const event = isInSnapshot ? null : eventOf(change, filter);
    if (event !== null) items.push({ change, event, cursor });
    if (hasEnded(cursor, filter)) return { items, cursor, ended: true };
  }
  return { items, cursor: { ...cursor, seq: upTo }, ended: false };
}

function moveTo(cursor: WatchCursor, change: Change, { tenant, taskIds }: WatchFilter): WatchCursor {
  const { seq, id } = change;
  const skip = cursor.skip.length === 0 ? cursor.skip : cursor.skip.filter((skipped) => skipped !== id);
  if (change.kind !== "task" || (change.after !== null && !hasTaskEnded(change.after.status))) {
    return { ...cursor, seq, skip };
  }
  const place = tenant === null || tenant === change.tenant ? taskIds.indexOf(change.refId) : -1;
  const isNew = place !== -1 && !cursor.ended.includes(place);
  return { ...cursor, seq, skip, ended: isNew ? [...cursor.ended, place] : cursor.ended };
}

/** What a watch says about a change, or `null` for nothing. */
export function eventOf(change: Change, filter: WatchFilter): ResourceEvent | null {
  if (filter.tenant !== null && change.tenant !== filter.tenant) return null;
  if (filter.taskIds.length > 0 && !filter.taskIds.includes(change.taskId)) return null;
  return change.kind === "task"
    ? eventFor(change, matchesTask(filter, change.before), matchesTask(filter, change.after))
    : eventFor(change, matchesWorkSession(filter, change.before), matchesWorkSession(filter, change.after));
}

function eventFor(change: Change, matched: boolean, matches: boolean): ResourceEvent | null {
  const { kind, refId: id, taskId, after } = change;
  if (matches && after !== null) return { kind: "changed", resource: resourceOf(change) };
  return matched ? { kind: "deleted", resourceKind: kind, id, taskId, isGone: after === null } : null;
}

function resourceOf(change: Change): WatchedResource {
  if (change.after === null) throw new Error("What is gone is no resource.");
  return change.kind === "task"
    ? { kind: "task", task: change.after }
    : { kind: "work_session", workSession: change.after };
}

function matchesTask({ tasks }: WatchFilter, task: TaskTraits | null): boolean {
  if (tasks === null || task === null || !admits(tasks.statuses, task.status)) return false;
  return tasks.where === undefined || fulfils(tasks.where, valuesOfTask(task));
}

function matchesWorkSession({ workSessions }: WatchFilter, session: WorkSessionTraits | null): boolean {
  if (workSessions === null || session === null) return false;
  const { statuses, agentTypes, where } = workSessions;
  if (!admits(statuses, session.status) || !admits(agentTypes, session.agentType)) return false;
  return where === undefined || fulfils(where, valuesOfWorkSession(session));
}

function admits<T>(allowed: readonly T[], value: T): boolean {
  return allowed.length === 0 || allowed.includes(value);
}
