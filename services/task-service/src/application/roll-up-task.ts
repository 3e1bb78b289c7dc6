import { rollUp } from "../domain/roll-up.ts";
import type { Task } from "../domain/task.ts";
import type { Unit } from "../persistence/database.ts";

/** Lets a locked task follow what its work sessions have become in this transaction. */
export async function rollUpTask({ workSessions }: Unit, task: Task, now: Date): Promise<void> {
  const { actions, reason } = rollUp(task, await workSessions.statusesOf(task.id));
  for (const action of actions) task.move(action, { now, reason });
}
