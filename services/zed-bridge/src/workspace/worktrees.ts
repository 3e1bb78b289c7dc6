// Worktrees: a working copy for each session
//
//   prepare ─▶ ready (git worktree, locked, on the branch helix-zed/SESSION) ─▶ release ─▶ removed, or kept
//
// One repository, one change at a time: git races against itself when worktrees are added side by side, and a half-made one
// breaks every later command. So each change holds a lock file in the repository's own git folder, which holds against
// other bridges of this host too and ends with the process that holds it; and before a worktree is added, what an
// interrupted change has left is removed.
//
// Nothing is lost: a worktree is removed only if it is clean, and its branch only if it has no commit of its own. A
// worktree is locked while a session works in it, so that no `git worktree prune` of anybody takes it away. Everything may
// come again after a crash and changes nothing then.

import { mkdir, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Refusal } from "@helix-zed/domain";
import { lock } from "proper-lockfile";
import type { Reason } from "../domain/reason.ts";
import type { Workspace } from "../domain/workspace.ts";
import { type Git, GitError } from "./git.ts";
import { resolveProjectPath } from "./resolve-project-path.ts";

/** Which copy of what. */
export interface PrepareWorktree {
  readonly workSessionId: string;
  /** The folder that the session would work in without a copy: a real path. */
  readonly projectPath: string;
  /** The branch, tag or commit to begin at; empty: what is checked out. */
  readonly baseBranch: string;
}

/** Where worktrees are kept, and how git is run. */
export interface WorktreesOptions {
  /** Holds the worktrees of all repositories, for this bridge alone. */
  readonly folder: string;
  /** Folders that work may be done in, as real paths: a repository that is not below one is none to copy. */
  readonly roots: readonly string[];
  readonly git: Git;
}

const LOCK_PATIENCE = { retries: 600, factor: 1, minTimeout: 100, maxTimeout: 100, randomize: true };
const LOCK_STALE_MS = 10_000;

/** The worktrees of this bridge. */
export class Worktrees {
  readonly #options: WorktreesOptions;
  readonly #git: Git;

  constructor(options: WorktreesOptions) {
    this.#options = options;
    this.#git = options.git;
  }

  /**
   * Makes the worktree of a session, or finds it. Refuses with WORKSPACE_NOT_A_REPOSITORY, WORKSPACE_BASE_UNKNOWN,
   * WORKSPACE_REPOSITORY_EMPTY, and as `resolveProjectPath` does where the repository reaches out of the roots.
   */
  async prepare({ workSessionId, projectPath, baseBranch }: PrepareWorktree): Promise<Workspace> {
    const repository = await this.#topOf(projectPath);
    const branch = branchOf(workSessionId);
    const home = await this.#home();
    const root = path.join(home, folderOf(workSessionId));
    const baseCommit = await this.#underLock(repository, async () => {
      await this.#repair(repository, home);
      if (!(await this.#isWorktree(repository, root))) await this.#add(repository, { root, branch, baseBranch });
      await this.#lockWorktree(repository, root, workSessionId);
      return this.#baseOf(repository, branch);
    });
    const inside = path.relative(repository, projectPath);
    const place = { repository, root, path: path.join(root, inside), branch, baseCommit };
    return { isolation: "worktree", ...place, status: "ready", statusReason: "" };
  }

  /** Lets a worktree go whose session has ended: removes it if it is clean, else says why it is kept. */
  async release(workspace: Workspace): Promise<Workspace> {
    const { repository, root, branch } = workspace;
    if (!(await isFolder(repository))) return { ...workspace, status: "removed" };
    return this.#underLock(repository, async () => {
      if (!(await this.#isWorktree(repository, root))) return this.#removed(workspace);
      await this.#git(repository, ["worktree", "unlock", root]).catch(ignoreGitError);
      const changes = await this.#git(root, ["status", "--porcelain", "--untracked-files=normal"]);
      if (changes !== "")
        return { ...workspace, status: "kept", statusReason: `It has changes that are not in ${branch}.` };
      try {
        await this.#git(repository, ["worktree", "remove", root]);
      } catch (error) {
        if (error instanceof GitError) return { ...workspace, status: "kept", statusReason: error.message };
        throw error;
      }
      return this.#removed(workspace);
    });
  }

  async #removed(workspace: Workspace): Promise<Workspace> {
    const { repository, branch, baseCommit } = workspace;
    const tip = await this.#git(repository, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(
      () => "",
    );
    if (tip.trim() === baseCommit) await this.#git(repository, ["branch", "-D", branch]);
    return { ...workspace, status: "removed", statusReason: "" };
  }

  async #topOf(projectPath: string): Promise<string> {
    const top = await this.#git(projectPath, ["rev-parse", "--show-toplevel"]).catch(ignoreGitError);
    if (top === undefined) throw refusal("WORKSPACE_NOT_A_REPOSITORY", projectPath, "is in no git repository");
    return resolveProjectPath(top.trimEnd(), this.#options.roots);
  }

  async #home(): Promise<string> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return realpath(this.#options.folder);
  }

  async #add(
    repository: string,
    { root, branch, baseBranch }: { readonly root: string; readonly branch: string; readonly baseBranch: string },
  ): Promise<void> {
    const exists = await this.#has(repository, `refs/heads/${branch}`);
    if (exists) await this.#git(repository, ["worktree", "add", root, branch]);
    else
      await this.#git(repository, [
        "worktree",
        "add",
        "-b",
        branch,
        root,
        await this.#commitOf(repository, baseBranch),
      ]);
  }

  async #commitOf(repository: string, baseBranch: string): Promise<string> {
    const revision = baseBranch === "" ? "HEAD" : baseBranch;
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const commit = await this.#git(repository, args).catch(ignoreGitError);
    if (commit !== undefined) return commit.trim();
    if (baseBranch === "") throw refusal("WORKSPACE_REPOSITORY_EMPTY", repository, "has no commit to begin at");
    throw refusal("WORKSPACE_BASE_UNKNOWN", repository, `has no branch, tag or commit ${baseBranch}`);
  }

  /** Where the branch began: known from its log, whoever asks and how often. */
  async #baseOf(repository: string, branch: string): Promise<string> {
    const log = await this.#git(repository, ["reflog", "show", "--format=%H", `refs/heads/${branch}`]).catch(() => "");
    const first = log.trim().split("\n").at(-1) ?? "";
    return first || (await this.#git(repository, ["rev-parse", `refs/heads/${branch}`])).trim();
  }

  async #has(repository: string, ref: string): Promise<boolean> {
    return (await this.#git(repository, ["show-ref", "--verify", "--quiet", ref]).catch(ignoreGitError)) !== undefined;
  }

  async #isWorktree(repository: string, root: string): Promise<boolean> {
    const list = await this.#git(repository, ["worktree", "list", "--porcelain", "-z"]);
    return list.split("\0").includes(`worktree ${root}`) && (await isFolder(root));
  }

  async #lockWorktree(repository: string, root: string, workSessionId: string): Promise<void> {
    const reason = `work session ${workSessionId}`;
    // It is locked already where this comes again.
    await this.#git(repository, ["worktree", "lock", "--reason", reason, root]).catch(ignoreGitError);
  }

  /** Removes what an interrupted change has left: entries without a HEAD or a folder, folders without an entry. */
  async #repair(repository: string, home: string): Promise<void> {
    const entries = path.join(await this.#gitFolderOf(repository), "worktrees");
    for (const name of await readdir(entries).catch(() => [])) {
      const entry = path.join(entries, name);
      const whole = await Promise.all(["HEAD", "gitdir", "commondir"].map((file) => isFilled(path.join(entry, file))));
      if (name.startsWith("ws_") && whole.includes(false)) await rm(entry, { recursive: true, force: true });
    }
    await this.#git(repository, ["worktree", "prune"]);
    const list = await this.#git(repository, ["worktree", "list", "--porcelain", "-z"]);
    const known = new Set(list.split("\0"));
    for (const name of await readdir(home)) {
      const root = path.join(home, name);
      if (known.has(`worktree ${root}`) || !(await this.#isLeftOver(root, entries))) continue;
      await rm(root, { recursive: true, force: true });
    }
  }

  /** Whether a folder of ours was to become a worktree of this repository, and never did. */
  async #isLeftOver(root: string, entries: string): Promise<boolean> {
    const files = await readdir(root).catch(() => null);
    if (files === null) return false;
    if (files.length === 0) return true;
    const pointer = await readText(path.join(root, ".git"));
    const gitFolder = await this.#git(root, ["rev-parse", "--absolute-git-dir"]).catch(ignoreGitError);
    return gitFolder === undefined && pointer.startsWith(`gitdir: ${entries}${path.sep}`);
  }

  async #gitFolderOf(repository: string): Promise<string> {
    const folder = await this.#git(repository, ["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    return realpath(folder.trimEnd());
  }

  async #underLock<T>(repository: string, change: () => Promise<T>): Promise<T> {
    const lockfilePath = path.join(await this.#gitFolderOf(repository), "helix-zed.lock");
    const unlock = await lock(repository, { lockfilePath, stale: LOCK_STALE_MS, retries: LOCK_PATIENCE });
    try {
      return await change();
    } finally {
      await unlock();
    }
  }
}

/** The branch of a session. */
export function branchOf(workSessionId: string): string {
  return `helix-zed/${folderOf(workSessionId)}`;
}

function folderOf(workSessionId: string): string {
  // Ids are task-service's, but this becomes a path and a branch: an id that could be anything else is a bug to stop at.
  if (!/^ws_[0-9a-z]+$/.test(workSessionId)) throw new Error(`not a work session id: ${workSessionId}`);
  return workSessionId;
}

function ignoreGitError(error: unknown): undefined {
  if (error instanceof GitError) return undefined;
  throw error;
}

type WorkspaceReason = Extract<Reason, `WORKSPACE_${string}`>;

function refusal(reason: WorkspaceReason, projectPath: string, description: string): Refusal<Reason> {
  return new Refusal<Reason>(reason, `${projectPath} ${description}.`, { project_path: projectPath });
}

async function isFolder(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => null))?.isDirectory() ?? false;
}

async function isFilled(file: string): Promise<boolean> {
  return ((await stat(file).catch(() => null))?.size ?? 0) > 0;
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
