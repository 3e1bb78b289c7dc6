import type { Actor } from "@helix-zed/domain";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import type { App } from "./app.ts";
import { type Page, pageOf, workSessionPages } from "./page-tokens.ts";

/** Which page of a task's work sessions. */
export interface ListWorkSessions {
  readonly taskId: string;
  /** 0 for the default. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** The work sessions of a task, oldest first. */
export function listWorkSessions(
  { database, limits }: App,
  actor: Actor,
  { taskId, pageSize, pageToken }: ListWorkSessions,
): Promise<Page<WorkSessionFacts>> {
  const size = pageSize === 0 ? limits.pageSizeDefault : Math.min(pageSize, limits.pageSizeMax);
  const after = pageToken === "" ? null : workSessionPages.decode(pageToken, [taskId]);
  return database.view(actor, async ({ tasks, workSessions }) => {
    await tasks.get(taskId);
    const found = await workSessions.page({ taskId, after, limit: size + 1 });
    return pageOf(found, size, (lastId) => workSessionPages.encode(lastId, [taskId]));
  });
}
