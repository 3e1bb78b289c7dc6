import path from "node:path";
import { gitIn } from "../workspace/git.ts";
import { Workspaces, type WorktreePolicy } from "../workspace/workspaces.ts";

/** What a test may choose. */
export interface TestWorkspaces {
  readonly policy?: WorktreePolicy;
  readonly setupTimeoutMs?: number;
}

/** Workspaces of the projects in a folder, with their copies in another folder below it. */
export function workspacesIn(root: string, { policy = "remove-clean", ...more }: TestWorkspaces = {}): Workspaces {
  const searchPath = process.env["PATH"] ?? "";
  const git = gitIn({ searchPath, home: root });
  const folder = path.join(root, "worktrees");
  return new Workspaces({ folder, roots: [root], policy, git, environment: { PATH: searchPath }, ...more });
}
