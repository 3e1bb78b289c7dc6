import type { Actor } from "@helix-zed/domain";
import type { WorkSession, WorkSessionFacts, WorkSessionResult } from "../domain/work-session.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import type { App } from "./app.ts";
import { rollUpTask } from "./roll-up-task.ts";

/** The statuses that a session can be reported to have, and what leads there. */
export const reportedActions = {
  active: "activate",
  completed: "complete",
  failed: "fail",
  cancelled: "cancel",
} as const satisfies Partial<Record<WorkSessionStatus, string>>;

/** A status that a session can be reported to have. */
export type ReportedStatus = keyof typeof reportedActions;

/** What a work session is said to have become. */
export interface UpdateWorkSessionStatus {
  readonly workSessionId: string;
  readonly status: ReportedStatus;
  readonly reason: string;
  readonly result: WorkSessionResult | null;
  readonly expectedVersion?: number;
  /** The lease that a runner reports under; absent for a caller that is no runner. */
  readonly leaseEpoch?: number;
}

/** Moves a work session to another status, and its task with it. A runner may repeat a report. */
export function updateWorkSessionStatus(
  { database, world }: App,
  actor: Actor,
  command: UpdateWorkSessionStatus,
): Promise<WorkSessionFacts> {
  return database.transact(actor, async ({ tasks, workSessions }) => {
    // The task's row is held first, as everywhere, so that two reports cannot wait for each other.
    const task = await tasks.lockOf(command.workSessionId);
    const { session, siblings } = await workSessions.lockAmongSiblings(command.workSessionId);
    if (command.leaseEpoch !== undefined) session.requireEpoch(command.leaseEpoch);
    if (isRepeated(session, command)) return session;
    session.requireVersion(command.expectedVersion);
    const now = world.now();
    apply(session, command, now);
    rollUpTask(task, [session.status, ...siblings], now);
    return session;
  });
}

function isRepeated(session: WorkSession, { status, result, leaseEpoch }: UpdateWorkSessionStatus): boolean {
  if (leaseEpoch === undefined || session.status !== status) return false;
  return session.result?.summary === result?.summary && session.result?.error === result?.error;
}

/** A runner that reports the end has begun, even if nobody heard of it. */
function apply(session: WorkSession, command: UpdateWorkSessionStatus, now: Date): void {
  const { status, reason, result, leaseEpoch } = command;
  if (status === "completed" && session.status === "pending" && leaseEpoch !== undefined) {
    session.move("activate", { now });
  }
  session.move(reportedActions[status], { now, reason, result });
}
