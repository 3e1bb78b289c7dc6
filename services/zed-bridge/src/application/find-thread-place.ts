import type { Workspace } from "../domain/workspace.ts";
import type { App } from "./app.ts";

/** Where a session's thread works, which no later wish changes. */
export interface ThreadPlace {
  readonly taskId: string;
  readonly projectPath: string;
  readonly workspace: Workspace | null;
  /** Whether a bridge has begun to work there. */
  readonly begun: boolean;
  /** The bridge that its instance was last run by; empty for none yet. */
  readonly runner: string;
}

/** The place that a session's thread already has; `null` while it has no thread. */
export function findThreadPlace(app: App, workSessionId: string): Promise<ThreadPlace | null> {
  return app.database.transact(async ({ threads, instances }) => {
    const mapping = await threads.find({ workSessionId, tenant: null });
    if (mapping === null) return null;
    const { taskId, projectPath, workspace, firstPromptQueued: begun, zedSessionId } = mapping;
    const { runner = "" } = (await instances.find(zedSessionId)) ?? {};
    return { taskId, projectPath, workspace, begun, runner };
  });
}
