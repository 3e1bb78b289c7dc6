import { type Actor } from "@helix-zed/domain";
import type { Condition } from "../domain/filter/filter-condition.ts";
import { ownerOf } from "../domain/owner.ts";
import type { TaskStatus } from "../domain/task-lifecycle.ts";
import type { App } from "./app.ts";
import { watch, type WatchMessage } from "./watch.ts";

/** Which of the actor's tasks to watch, and from where. */
export interface WatchTasks {
  /** Empty for all. */
  readonly taskIds: readonly string[];
  /** Empty for any. */
  readonly statuses: readonly TaskStatus[];
  readonly where?: Condition;
  readonly includeWorkSessions: boolean;
  readonly resumeToken: string;
}

/** Streams the actor's tasks, and their work sessions if asked for. */
export function watchTasks(
  app: App,
  actor: Actor,
  { taskIds, statuses, where, includeWorkSessions, resumeToken }: WatchTasks,
  signal: AbortSignal,
): AsyncGenerator<WatchMessage, void, undefined> {
  const workSessions = includeWorkSessions ? { agentTypes: [], statuses: [] } : null;
  const tasks = { statuses, ...(where === undefined ? {} : { where }) };
  const filter = { tenant: ownerOf(actor).tenant, taskIds: unique(taskIds), tasks, workSessions };
  return watch(app, { filter, resumeToken, signal });
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
