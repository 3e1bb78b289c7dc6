import { type Actor, tenantOf } from "@helix-zed/domain";
import { valuesOfWorkSession, workSessionFields } from "../domain/filter/filter-fields.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import type { PageQuery } from "../persistence/page-query.ts";
import type { App } from "./app.ts";
import { type ListOptions, listPage, type Page } from "./page-tokens.ts";

/** Which page of which task's work sessions. */
export interface ListWorkSessions extends ListOptions {
  readonly taskId: string;
}

/** A page of a task's work sessions, oldest first unless asked otherwise. */
export function listWorkSessions(
  { database, limits }: App,
  actor: Actor,
  { taskId, ...options }: ListWorkSessions,
): Promise<Page<WorkSessionFacts>> {
  return database.view(actor, async ({ tasks, workSessions }) => {
    await tasks.get(taskId);
    const listing = {
      kind: "work-sessions",
      fields: workSessionFields,
      boundTo: [tenantOf(actor), taskId],
      isNewestFirst: false,
      limits,
      valuesOf: valuesOfWorkSession,
      read: (query: PageQuery) => workSessions.page({ ...query, taskId }),
    };
    return listPage(listing, options);
  });
}
