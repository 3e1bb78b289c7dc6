import {
  TaskAction as WireTaskAction,
  TaskStatus as WireTaskStatus,
  TaskType as WireTaskType,
} from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import {
  Isolation as WireIsolation,
  OnTurnEnd as WireOnTurnEnd,
  PermissionPolicy as WirePermissionPolicy,
  WorkSessionAction as WireWorkSessionAction,
  WorkSessionStatus as WireWorkSessionStatus,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { TaskAction, TaskStatus, TaskType } from "../domain/task-lifecycle.ts";
import type { OnTurnEnd } from "../domain/turn-end.ts";
import type { Isolation, PermissionPolicy } from "../domain/work-session.ts";
import type { WorkSessionAction, WorkSessionStatus } from "../domain/work-session-lifecycle.ts";

/** Task types on the wire. */
export const taskTypes = {
  interactive: WireTaskType.INTERACTIVE,
  batch: WireTaskType.BATCH,
  coding_session: WireTaskType.CODING_SESSION,
} as const satisfies Record<TaskType, WireTaskType>;

/** Task statuses on the wire. */
export const taskStatuses = {
  pending: WireTaskStatus.PENDING,
  active: WireTaskStatus.ACTIVE,
  completed: WireTaskStatus.COMPLETED,
  failed: WireTaskStatus.FAILED,
  cancelled: WireTaskStatus.CANCELLED,
} as const satisfies Record<TaskStatus, WireTaskStatus>;

/** Task actions on the wire. */
export const taskActions = {
  activate: WireTaskAction.ACTIVATE,
  complete: WireTaskAction.COMPLETE,
  fail: WireTaskAction.FAIL,
  cancel: WireTaskAction.CANCEL,
} as const satisfies Record<TaskAction, WireTaskAction>;

/** Work session statuses on the wire. */
export const workSessionStatuses = {
  pending: WireWorkSessionStatus.PENDING,
  blocked: WireWorkSessionStatus.BLOCKED,
  active: WireWorkSessionStatus.ACTIVE,
  completed: WireWorkSessionStatus.COMPLETED,
  failed: WireWorkSessionStatus.FAILED,
  cancelled: WireWorkSessionStatus.CANCELLED,
} as const satisfies Record<WorkSessionStatus, WireWorkSessionStatus>;

/** Work session actions on the wire; `null` for what is no caller's to ask. */
export const workSessionActions = {
  activate: WireWorkSessionAction.ACTIVATE,
  complete: WireWorkSessionAction.COMPLETE,
  fail: WireWorkSessionAction.FAIL,
  cancel: WireWorkSessionAction.CANCEL,
  requeue: null,
} as const satisfies Record<WorkSessionAction, WireWorkSessionAction | null>;

/** Turn-end policies on the wire. */
export const onTurnEnds = {
  complete: WireOnTurnEnd.COMPLETE,
  idle: WireOnTurnEnd.IDLE,
} as const satisfies Record<OnTurnEnd, WireOnTurnEnd>;

/** Permission policies on the wire. */
export const permissionPolicies = {
  allow: WirePermissionPolicy.ALLOW,
  ask: WirePermissionPolicy.ASK,
  reject: WirePermissionPolicy.REJECT,
} as const satisfies Record<PermissionPolicy, WirePermissionPolicy>;

/** Isolations on the wire. */
export const isolations = {
  none: WireIsolation.NONE,
  worktree: WireIsolation.WORKTREE,
} as const satisfies Record<Isolation, WireIsolation>;

/** The word that stands for a wire value, or `undefined` for one that has none. */
export function wordOf<Word extends string>(table: Readonly<Record<Word, number>>, value: number): Word | undefined {
  for (const word in table) {
    if (table[word] === value) return word;
  }
  return undefined;
}
