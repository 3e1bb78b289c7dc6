import type { Workspace } from "../domain/workspace.ts";
import type { App } from "./app.ts";

/** Where a session's thread works, which no later wish changes. */
export interface ThreadPlace {
  readonly projectPath: string;
  readonly workspace: Workspace | null;
  /** Whether a bridge has begun to work there. */
  readonly begun: boolean;
}

/** The place that a session's thread already has; `null` while it has no thread. */
export async function findThreadPlace(app: App, workSessionId: string): Promise<ThreadPlace | null> {
  const mapping = await app.database.transact(({ threads }) => threads.find({ workSessionId, tenant: null }));
  if (mapping === null) return null;
  const { projectPath, workspace, firstPromptQueued: begun } = mapping;
  return { projectPath, workspace, begun };
}
