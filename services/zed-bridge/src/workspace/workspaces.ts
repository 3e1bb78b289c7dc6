import type { WantedWorkspace, Workspace } from "../domain/workspace.ts";
import type { Git } from "./git.ts";
import { runSetup } from "./run-setup.ts";
import { Worktrees } from "./worktrees.ts";

/** What becomes of a copy when its session has ended. */
export type WorktreePolicy = "keep" | "remove-clean";

/** What workspaces are made with. */
export interface WorkspacesOptions {
  /** Holds the copies of all repositories, for this bridge alone. */
  readonly folder: string;
  /** Folders that work may be done in, as real paths. */
  readonly roots: readonly string[];
  readonly policy: WorktreePolicy;
  readonly git: Git;
  /** What setup commands are given as their environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly setupTimeoutMs?: number;
}

const SETUP_TIMEOUT_MS = 10 * 60 * 1_000;

/** Where sessions work: in their project's folder or in a copy of it, made fit by their setup command. */
export class Workspaces {
  readonly #options: WorkspacesOptions;
  readonly #worktrees: Worktrees;

  constructor(options: WorkspacesOptions) {
    this.#options = options;
    this.#worktrees = new Worktrees(options);
  }

  /** Makes ready what a session wants; `null` where that is the project's folder. Safe to repeat. */
  async prepare(
    { workSessionId, projectPath }: { readonly workSessionId: string; readonly projectPath: string },
    { isolation, baseBranch, setupCommand }: WantedWorkspace,
  ): Promise<Workspace | null> {
    const workspace =
      isolation === "worktree" ? await this.#worktrees.prepare({ workSessionId, projectPath, baseBranch }) : null;
    const { environment, setupTimeoutMs: timeoutMs = SETUP_TIMEOUT_MS } = this.#options;
    await runSetup({ command: setupCommand, folder: workspace?.path ?? projectPath, environment, timeoutMs });
    return workspace;
  }

  /** What becomes of a copy whose session has ended and that nobody works in any more. */
  release(workspace: Workspace): Promise<Workspace> {
    if (this.#options.policy === "remove-clean") return this.#worktrees.release(workspace);
    return Promise.resolve({ ...workspace, status: "kept", statusReason: "Copies are kept here." });
  }
}
