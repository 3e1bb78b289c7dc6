import { Isolation, type WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WantedWorkspace } from "../domain/workspace.ts";

/** What a work session wants of its workspace. */
export function wantedWorkspaceOf({ environmentConfig }: WorkSession): WantedWorkspace {
  const { isolation, baseBranch = "", setupCommand = [] } = environmentConfig ?? {};
  return { isolation: isolation === Isolation.WORKTREE ? "worktree" : "none", baseBranch, setupCommand };
}
