// Roll-up: how a task follows its work sessions
//
//   the task has ended                        nothing follows any more
//   no session at all                         nothing follows
//   interactive                               active with its first active session; its end is somebody's decision
//   batch, coding_session
//     a session lives                         active with its first active session
//     all have ended, one or more failed      failed
//     all have ended, one or more completed   completed (others may have been cancelled)
//     all were cancelled                      cancelled
//
// Total: every set of sessions has an answer. It is computed in the transaction that changes a session, so nobody ever
// sees the one without the other.

import { hasTaskEnded, type TaskAction, type TaskStatus, type TaskType } from "./task-lifecycle.ts";
import { hasSessionEnded, type WorkSessionStatus } from "./work-session-lifecycle.ts";

/** What a task does about its work sessions, in this order, and why. */
export interface RollUp {
  readonly actions: readonly TaskAction[];
  readonly reason: string;
}

const NOTHING: RollUp = { actions: [], reason: "" };

/** What follows for a task from the statuses of all its work sessions. */
export function rollUp(
  { taskType, status }: { readonly taskType: TaskType; readonly status: TaskStatus },
  sessions: readonly WorkSessionStatus[],
): RollUp {
  if (hasTaskEnded(status) || sessions.length === 0) return NOTHING;
  if (taskType !== "interactive" && sessions.every(hasSessionEnded)) return endOf(status, sessions);
  return status === "pending" && sessions.some(hasBegun) ? { actions: ["activate"], reason: "" } : NOTHING;
}

function endOf(status: TaskStatus, sessions: readonly WorkSessionStatus[]): RollUp {
  if (sessions.includes("failed")) return { actions: ["fail"], reason: "WORK_SESSION_FAILED" };
  if (!sessions.includes("completed")) return { actions: ["cancel"], reason: "WORK_SESSIONS_CANCELLED" };
  // The one session may have begun and ended in one report.
  return { actions: status === "pending" ? ["activate", "complete"] : ["complete"], reason: "" };
}

function hasBegun(status: WorkSessionStatus): boolean {
  return status === "active" || status === "completed";
}
