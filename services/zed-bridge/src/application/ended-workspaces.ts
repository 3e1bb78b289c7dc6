import type { Workspace } from "../domain/workspace.ts";
import type { App } from "./app.ts";

/** A copy whose session has ended. */
export interface EndedWorkspace {
  readonly mappingId: string;
  readonly workspace: Workspace;
}

/** The copies of this bridge that are to be let go: the session has ended, and no process works there any more. */
export function listEndedWorkspaces(app: App, { runner }: { readonly runner: string }): Promise<EndedWorkspace[]> {
  return app.database.transact(({ threads }) => threads.endedWorkspaces(runner));
}

/** Notes what became of a copy. */
export function recordWorkspace(app: App, { mappingId, workspace }: EndedWorkspace): Promise<void> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lock(mappingId);
    if (mapping === null) return;
    Object.assign(mapping, { workspace, updatedAt: now });
    unit.log.mapping(mapping);
  });
}
