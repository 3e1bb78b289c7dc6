import { type Actor, tenantOf } from "@helix-zed/domain";
import type { Condition } from "../domain/filter/filter-condition.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import type { App } from "./app.ts";
import { watch, type WatchMessage } from "./watch.ts";

/** Which of the actor's work sessions to watch, and from where. */
export interface WatchWorkSessions {
  /** `null` for those of all tasks. */
  readonly taskId: string | null;
  /** Empty for any. */
  readonly agentTypes: readonly string[];
  /** Empty for any. */
  readonly statuses: readonly WorkSessionStatus[];
  readonly where?: Condition;
  readonly resumeToken: string;
}

/** Streams the actor's work sessions; those of all tenants to a runner that acts for nobody. */
export function watchWorkSessions(
  app: App,
  actor: Actor,
  { taskId, agentTypes, statuses, where, resumeToken }: WatchWorkSessions,
  signal: AbortSignal,
): AsyncGenerator<WatchMessage, void, undefined> {
  const taskIds = taskId === null ? [] : [taskId];
  const workSessions = { agentTypes, statuses, ...(where === undefined ? {} : { where }) };
  const filter = { tenant: tenantOf(actor), taskIds, tasks: null, workSessions };
  return watch(app, { filter, resumeToken, signal });
}
