import type { Actor } from "@helix-zed/domain";
import type { Task, TaskFacts } from "../domain/task.ts";
import { hasTaskEnded, type TaskAction, type TaskStatus } from "../domain/task-lifecycle.ts";
import { hasSessionEnded, type WorkSessionAction, type WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import type { Unit } from "../persistence/database.ts";
import type { App } from "./app.ts";

/** What is to be done with a task. */
export interface UpdateTaskStatus {
  readonly taskId: string;
  readonly action: TaskAction;
  readonly reason: string;
  readonly expectedVersion?: number;
}

/** Moves a task to another status. Its end is the end of its live sessions. */
export function updateTaskStatus(
  { database, world }: App,
  actor: Actor,
  command: UpdateTaskStatus,
): Promise<TaskFacts> {
  return database.transact(actor, async (unit) => {
    const { tasks } = unit;
    const task = await tasks.lock(command.taskId);
    task.requireVersion(command.expectedVersion);
    const now = world.now();
    task.move(command.action, { now, reason: command.reason });
    if (hasTaskEnded(task.status)) await endSessions(unit, task, now);
    return task;
  });
}

/** Why a session has ended, when its task did it. */
const sessionReasons: Record<TaskStatus, string> = {
  pending: "",
  active: "",
  completed: "TASK_COMPLETED",
  failed: "TASK_FAILED",
  cancelled: "TASK_CANCELLED",
};

async function endSessions({ workSessions }: Unit, task: Task, now: Date): Promise<void> {
  for (const session of await workSessions.lockAllOf(task.id)) {
    if (hasSessionEnded(session.status)) continue;
    session.move(endingOf(task.status, session.status), { now, reason: sessionReasons[task.status] });
  }
}

/** A task that is completed completes the sessions that were at work; what else still lives is given up. */
function endingOf(task: TaskStatus, session: WorkSessionStatus): WorkSessionAction {
  return task === "completed" && session === "active" ? "complete" : "cancel";
}
