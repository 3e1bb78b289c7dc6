import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { listEndedWorkspaces, recordWorkspace } from "../application/ended-workspaces.ts";
import type { Workspaces } from "../workspace/workspaces.ts";

/** What the keeper works with. */
export interface WorkspaceKeeperOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly workspaces: Pick<Workspaces, "release">;
  readonly log: Log;
  readonly intervalMs?: number;
}

/** Lets copies go whose sessions have ended, again and again until the signal aborts. Never rejects. */
export async function keepWorkspaces(options: WorkspaceKeeperOptions, signal: AbortSignal): Promise<void> {
  const { app, log, intervalMs = 5_000 } = options;
  while (!signal.aborted) {
    await releaseEnded(options).catch((error: unknown) => {
      log.warn({ err: error }, "workspaces could not be looked after");
    });
    await app.world.sleep(intervalMs, signal).catch(() => {});
  }
}

/** Does it once. One that cannot be let go holds back no other. */
export async function releaseEnded({ app, runner, workspaces, log }: WorkspaceKeeperOptions): Promise<void> {
  for (const { mappingId, workspace } of await listEndedWorkspaces(app, { runner })) {
    try {
      const released = await workspaces.release(workspace);
      await recordWorkspace(app, { mappingId, workspace: released });
      log.info({ root: workspace.root, status: released.status }, "a workspace is let go");
    } catch (error) {
      log.warn({ err: error, root: workspace.root }, "a workspace cannot be let go");
    }
  }
}
