import { isTerminal, type Lifecycle } from "@helix-zed/domain";

/** How a task ends, and what the end of a turn means in it. */
export type TaskType = "interactive" | "batch" | "coding_session";

/** Where a task stands. */
export type TaskStatus = "pending" | "active" | "completed" | "failed" | "cancelled";

/** What can be done with a task. */
export type TaskAction = "activate" | "complete" | "fail" | "cancel";

/** Every action in every status. */
export const taskLifecycle: Lifecycle<TaskStatus, TaskAction> = {
  pending: { activate: "active", complete: null, fail: "failed", cancel: "cancelled" },
  active: { activate: null, complete: "completed", fail: "failed", cancel: "cancelled" },
  completed: { activate: null, complete: null, fail: null, cancel: null },
  failed: { activate: null, complete: null, fail: null, cancel: null },
  cancelled: { activate: null, complete: null, fail: null, cancel: null },
};

/** Whether nothing can happen to the task any more. */
export function hasTaskEnded(status: TaskStatus): boolean {
  return isTerminal(taskLifecycle, status);
}
