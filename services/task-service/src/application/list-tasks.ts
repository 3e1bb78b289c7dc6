import { type Actor, tenantOf } from "@helix-zed/domain";
import type { TaskFacts } from "../domain/task.ts";
import type { App } from "./app.ts";
import { type Page, pageOf, taskPages } from "./page-tokens.ts";

/** Which page of the actor's tasks. */
export interface ListTasks {
  /** 0 for the default. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** The actor's tasks, newest first. */
export function listTasks(app: App, actor: Actor, { pageSize, pageToken }: ListTasks): Promise<Page<TaskFacts>> {
  const size = pageSize === 0 ? app.limits.pageSizeDefault : Math.min(pageSize, app.limits.pageSizeMax);
  const boundTo = [tenantOf(actor)];
  const before = pageToken === "" ? null : taskPages.decode(pageToken, boundTo);
  return app.database.view(actor, async ({ tasks }) => {
    const found = await tasks.page({ before, limit: size + 1 });
    return pageOf(found, size, (lastId) => taskPages.encode(lastId, boundTo));
  });
}
