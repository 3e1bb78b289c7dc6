import type { Actor } from "@helix-zed/domain";
import type { App } from "./app.ts";

/** Which task to delete. */
export interface DeleteTask {
  readonly taskId: string;
  readonly expectedVersion?: number;
}

/** Deletes a task with its work sessions. Watches see each of them go. */
export function deleteTask({ database }: App, actor: Actor, command: DeleteTask): Promise<void> {
  return database.transact(actor, async ({ tasks, workSessions }) => {
    const task = await tasks.lock(command.taskId);
    task.requireVersion(command.expectedVersion);
    for (const session of await workSessions.lockAllOf(task.id)) workSessions.removedWithTask(session);
    tasks.remove(task);
  });
}
