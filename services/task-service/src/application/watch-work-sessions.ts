import { type Actor, tenantOf } from "@helix-zed/domain";
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
  readonly resumeToken: string;
}

/** Streams the actor's work sessions; those of all tenants to a runner that acts for nobody. */
export function watchWorkSessions(
  app: App,
  actor: Actor,
  { taskId, agentTypes, statuses, resumeToken }: WatchWorkSessions,
  signal: AbortSignal,
): AsyncGenerator<WatchMessage, void, undefined> {
  const taskIds = taskId === null ? [] : [taskId];
  const filter = { tenant: tenantOf(actor), taskIds, tasks: null, workSessions: { agentTypes, statuses } };
  return watch(app, { filter, resumeToken, signal });
}
