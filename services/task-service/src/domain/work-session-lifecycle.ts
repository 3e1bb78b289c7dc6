import { isTerminal, type Lifecycle } from "@helix-zed/domain";

/** Where a work session stands. */
export type WorkSessionStatus = "pending" | "blocked" | "active" | "completed" | "failed" | "cancelled";

/** What can be done with a work session; `requeue` is what a lost or returned lease does. */
export type WorkSessionAction = "activate" | "complete" | "fail" | "cancel" | "requeue";

/** Every action in every status. A session that nobody has begun on is requeued into the status it has. */
export const workSessionLifecycle: Lifecycle<WorkSessionStatus, WorkSessionAction> = {
  pending: { activate: "active", complete: null, fail: "failed", cancel: "cancelled", requeue: "pending" },
  blocked: { activate: null, complete: null, fail: "failed", cancel: "cancelled", requeue: null },
  active: { activate: null, complete: "completed", fail: "failed", cancel: "cancelled", requeue: "pending" },
  completed: { activate: null, complete: null, fail: null, cancel: null, requeue: null },
  failed: { activate: null, complete: null, fail: null, cancel: null, requeue: null },
  cancelled: { activate: null, complete: null, fail: null, cancel: null, requeue: null },
};

/** The statuses that are not final. */
export const liveStatuses = ["pending", "blocked", "active"] as const satisfies readonly WorkSessionStatus[];

/** Whether nothing can happen to the session any more. */
export function hasSessionEnded(status: WorkSessionStatus): boolean {
  return isTerminal(workSessionLifecycle, status);
}
