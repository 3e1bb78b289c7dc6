import { type Actor, tenantOf } from "@helix-zed/domain";
import { taskFields, valuesOfTask } from "../domain/filter/filter-fields.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { App } from "./app.ts";
import { type ListOptions, listPage, type Page } from "./page-tokens.ts";

/** A page of the actor's tasks, newest first unless asked otherwise. */
export function listTasks({ database, limits }: App, actor: Actor, options: ListOptions): Promise<Page<TaskFacts>> {
  return database.view(actor, ({ tasks }) => {
    const listing = {
      kind: "tasks",
      fields: taskFields,
      boundTo: [tenantOf(actor)],
      isNewestFirst: true,
      limits,
      valuesOf: valuesOfTask,
      read: tasks.page.bind(tasks),
    };
    return listPage(listing, options);
  });
}
