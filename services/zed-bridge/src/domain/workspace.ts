/** Whether a session works in the project's folder or in a copy of its own. */
export type Isolation = "none" | "worktree";

/** Where a session's own copy stands: in use, kept after its end, or removed. */
export type WorkspaceStatus = "ready" | "kept" | "removed";

/** A session's own working copy: a git worktree on a branch of its own. */
export interface Workspace {
  readonly isolation: "worktree";
  /** The project that it is a copy of: the repository's top folder, a real path. */
  readonly repository: string;
  /** The worktree's top folder. */
  readonly root: string;
  /** Where the agent works: in the worktree what the project path is in the repository. */
  readonly path: string;
  readonly branch: string;
  /** The commit that the branch began at. */
  readonly baseCommit: string;
  readonly status: WorkspaceStatus;
  /** Why it is kept, for people; empty where that is plain. */
  readonly statusReason: string;
}

/** What a session wants of its workspace. */
export interface WantedWorkspace {
  readonly isolation: Isolation;
  /** The branch, tag or commit to begin at; empty: what is checked out. */
  readonly baseBranch: string;
  /** A program and its arguments, run before the agent begins; empty for none. */
  readonly setupCommand: readonly string[];
}
