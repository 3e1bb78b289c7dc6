import { rollUp } from "../domain/roll-up.ts";
import type { Task } from "../domain/task.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";

/** Lets a locked task follow what its work sessions have become in this transaction. */
export function rollUpTask(task: Task, sessions: readonly WorkSessionStatus[], now: Date): void {
  const { actions, reason } = rollUp(task, sessions);
  for (const action of actions) task.move(action, { now, reason });
}
