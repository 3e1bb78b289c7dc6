import type { Actor } from "@helix-zed/domain";
import type { TaskFacts } from "../domain/task.ts";
import type { App } from "./app.ts";

/** Reads one task. */
export function getTask({ database }: App, actor: Actor, { taskId }: { readonly taskId: string }): Promise<TaskFacts> {
  return database.view(actor, ({ tasks }) => tasks.get(taskId));
}
