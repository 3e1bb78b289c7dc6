// Where a claimed session works
//
// A session that begins gets its folder: judged against the roots, and where it wants that a copy of its own, made fit by its
// setup command. One that has begun keeps its folder; another bridge that would take it over must find that there too. A
// bridge that does not (another host, other roots) does not claim the session: it says on the thread why, and the session
// waits for one that does.
import { stat } from "node:fs/promises";
import { Refusal } from "@helix-zed/domain";
import type { Claim } from "@helix-zed/runner";
import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { findThreadPlace, type ThreadPlace } from "../application/find-thread-place.ts";
import { leaveThread } from "../application/leave-thread.ts";
import { resolvePlace } from "../application/resolve-place.ts";
import type { Reason } from "../domain/reason.ts";
import type { Workspace } from "../domain/workspace.ts";
import type { Workspaces } from "../workspace/workspaces.ts";
import { wantedWorkspaceOf } from "./wanted-workspace.ts";

/** What places are found with. */
export interface WorkSessionPlaceOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly workspaces: Pick<Workspaces, "prepare">;
  readonly log: Log;
}

/** Where a session works. */
export interface Place {
  readonly projectPath: string;
  readonly workspace: Workspace | null;
}

/** Finds or makes the place of a claimed session. What was made ready for it once is not made again. */
export async function placeOf({ app, workspaces }: WorkSessionPlaceOptions, claim: Claim): Promise<Place> {
  const { workSession, projectPath: wanted } = claim;
  const { id: workSessionId, taskId } = workSession;
  const known = await findThreadPlace(app, workSessionId);
  if (known?.workspace) return requireThere(known);
  const projectPath = await resolvePlace(app, { taskId, projectPath: known?.projectPath ?? wanted });
  if (known?.begun) return { projectPath, workspace: null };
  const workspace = await workspaces.prepare({ workSessionId, projectPath }, wantedWorkspaceOf(workSession));
  return { projectPath: workspace?.path ?? projectPath, workspace };
}

/** Whether a session that another bridge has begun can go on here; says on its thread why not. */
export async function suitsHere(
  { app, runner, log }: WorkSessionPlaceOptions,
  workSessionId: string,
): Promise<boolean> {
  const known = await findThreadPlace(app, workSessionId);
  if (known === null || !known.begun || known.runner === runner || known.runner === "") return true;
  try {
    if (known.workspace !== null) await requireThere(known);
    else await resolvePlace(app, known);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    log.warn({ workSession: workSessionId, reason: error.reason }, "a session of another bridge cannot go on here");
    await leaveThread(app, { workSessionId, reason: "WORKSPACE_ELSEWHERE" });
    return false;
  }
}

async function requireThere({ projectPath, workspace }: ThreadPlace): Promise<Place> {
  const found = await stat(projectPath).catch(() => null);
  if (found?.isDirectory() === true) return { projectPath, workspace };
  const message = `The copy of the project that the session works in (${projectPath}) is not on this host.`;
  throw new Refusal<Reason>("WORKSPACE_ELSEWHERE", message, { project_path: projectPath });
}
