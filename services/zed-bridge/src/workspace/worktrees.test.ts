import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { gitIn } from "./git.ts";
import { Worktrees } from "./worktrees.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

class Stage {
  readonly root = realpathSync(mkdtempSync(path.join(tmpdir(), "helix-zed-worktrees-")));
  readonly repository = path.join(this.root, "projects", "shop");
  readonly folder = path.join(this.root, "data", "worktrees");
  readonly worktrees: Worktrees;

  constructor() {
    folders.push(this.root);
    mkdirSync(path.join(this.repository, "web"), { recursive: true });
    writeFileSync(path.join(this.repository, "web", "index.html"), "<h1>Shop</h1>\n");
    this.git("init", "--quiet", "--initial-branch=main");
    this.commit("Begin");
    this.worktrees = this.another();
  }

  /** As another bridge of this host would have it. */
  another(): Worktrees {
    const git = gitIn({ searchPath: process.env["PATH"] ?? "", home: this.root });
    return new Worktrees({ folder: this.folder, roots: [path.join(this.root, "projects")], git });
  }

  git(...args: string[]): string {
    return this.gitIn(this.repository, ...args);
  }

  gitIn(folder: string, ...args: string[]): string {
    const who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
    return execFileSync("git", [...who, ...args], { cwd: folder, encoding: "utf8", stdio: "pipe" }).trim();
  }

  commit(message: string, folder = this.repository): void {
    this.gitIn(folder, "add", ".");
    this.gitIn(folder, "commit", "--quiet", "--no-gpg-sign", "--allow-empty", "-m", message);
  }

  prepare(id: string, { baseBranch = "", projectPath = this.repository, by = this.worktrees } = {}) {
    return by.prepare({ workSessionId: id, projectPath, baseBranch });
  }

  entries(): string[] {
    return this.git("worktree", "list", "--porcelain").match(/(?<=^worktree ).*$/gm) ?? [];
  }
}

describe("the worktree of a session", () => {
  test("is a copy on a branch of its own that begins where the project stands", async () => {
    const stage = new Stage();
    const workspace = await stage.prepare("ws_1");
    expect(workspace).toMatchObject({ branch: "helix-zed/ws_1", baseCommit: stage.git("rev-parse", "main") });
    expect(readFileSync(path.join(workspace.path, "web", "index.html"), "utf8")).toBe("<h1>Shop</h1>\n");
    expect(stage.gitIn(workspace.path, "branch", "--show-current")).toBe("helix-zed/ws_1");
    writeFileSync(path.join(workspace.path, "new.txt"), "new");
    expect(stage.git("status", "--porcelain")).toBe("");
  });

  test("begins at the branch, tag or commit that was asked for", async () => {
    const stage = new Stage();
    const first = stage.git("rev-parse", "main");
    stage.commit("Second");
    stage.git("tag", "one", first);
    for (const baseBranch of ["one", first]) {
      const { baseCommit } = await stage.prepare(`ws_${baseBranch.slice(0, 3)}`, { baseBranch });
      expect(baseCommit).toBe(first);
    }
  });

  test("lets its agent work in the folder that the project is of its repository", async () => {
    const stage = new Stage();
    const { root, path: inside } = await stage.prepare("ws_1", { projectPath: path.join(stage.repository, "web") });
    expect(inside).toBe(path.join(root, "web"));
  });

  test("is the same when it is asked for again, with its base", async () => {
    const stage = new Stage();
    const first = await stage.prepare("ws_1");
    writeFileSync(path.join(first.path, "work.txt"), "work");
    stage.commit("Work", first.path);
    expect(await stage.prepare("ws_1", { by: stage.another() })).toEqual(first);
    expect(existsSync(path.join(first.path, "work.txt"))).toBe(true);
  });

  test("takes up its branch again after its folder was removed", async () => {
    const stage = new Stage();
    const first = await stage.prepare("ws_1");
    writeFileSync(path.join(first.path, "work.txt"), "work");
    stage.commit("Work", first.path);
    await stage.worktrees.release(first);
    const again = await stage.prepare("ws_1");
    expect(again).toEqual(first);
    expect(existsSync(path.join(again.path, "work.txt"))).toBe(true);
  });

  test("is not taken away by a prune or a remove of somebody else", async () => {
    const stage = new Stage();
    const { root } = await stage.prepare("ws_1");
    expect(() => stage.git("worktree", "remove", "--force", root)).toThrow("locked");
  });

  test.each([
    { why: "no repository", prepare: (stage: Stage) => outsideOfAny(stage), reason: "WORKSPACE_NOT_A_REPOSITORY" },
    {
      why: "no such branch",
      prepare: (stage: Stage) => stage.prepare("ws_1", { baseBranch: "none" }),
      reason: "WORKSPACE_BASE_UNKNOWN",
    },
    {
      why: "an option for a branch",
      prepare: (stage: Stage) => stage.prepare("ws_1", { baseBranch: "--help" }),
      reason: "WORKSPACE_BASE_UNKNOWN",
    },
    { why: "no commit", prepare: (stage: Stage) => withoutCommit(stage), reason: "WORKSPACE_REPOSITORY_EMPTY" },
    { why: "a repository around the root", prepare: aroundTheRoot, reason: "PROJECT_PATH_OUTSIDE_ROOTS" },
  ])("is refused where there is $why", async ({ prepare, reason }) => {
    await expect(prepare(new Stage())).rejects.toMatchObject({ reason });
  });

  test("is refused for an id that could climb out of the folder", async () => {
    await expect(new Stage().prepare("ws_/../../x")).rejects.toThrow("not a work session id");
  });
});

function outsideOfAny(stage: Stage): Promise<unknown> {
  const projectPath = path.join(stage.root, "projects", "plain");
  mkdirSync(projectPath);
  return stage.prepare("ws_1", { projectPath });
}

function withoutCommit(stage: Stage): Promise<unknown> {
  const projectPath = path.join(stage.root, "projects", "empty");
  mkdirSync(projectPath);
  stage.gitIn(projectPath, "init", "--quiet");
  return stage.prepare("ws_1", { projectPath });
}

function aroundTheRoot(stage: Stage): Promise<unknown> {
  rmSync(path.join(stage.repository, ".git"), { recursive: true });
  stage.gitIn(stage.root, "init", "--quiet");
  return stage.prepare("ws_1");
}

describe("many sessions of one repository", () => {
  test("get their worktrees side by side, also from several bridges", async () => {
    const stage = new Stage();
    const bridges = [stage.worktrees, stage.another(), stage.another()];
    const ids = Array.from({ length: 18 }, (_, index) => `ws_${index}`);
    const all = await Promise.all(
      ids.map((id, index) => stage.prepare(id, { by: bridges[index % 3] ?? stage.worktrees })),
    );
    expect(new Set(all.map(({ root }) => root)).size).toBe(18);
    expect(stage.entries()).toHaveLength(19);
  }, 60_000);
});

describe("what an interrupted change has left", () => {
  test("is removed before the next one: an entry without a HEAD", async () => {
    const stage = new Stage();
    const half = path.join(stage.repository, ".git", "worktrees", "ws_2");
    mkdirSync(half, { recursive: true });
    writeFileSync(path.join(half, "gitdir"), path.join(stage.folder, "ws_2", ".git"));
    await stage.prepare("ws_1");
    expect(existsSync(half)).toBe(false);
  });

  test("is removed before the next one: a folder that no entry knows", async () => {
    const stage = new Stage();
    const { root } = await stage.prepare("ws_2");
    rmSync(path.join(stage.repository, ".git", "worktrees", "ws_2"), { recursive: true });
    await stage.prepare("ws_1");
    expect(existsSync(root)).toBe(false);
  });

  test("is made good where it is the session's own: a folder that was lost", async () => {
    const stage = new Stage();
    const { root, path: folder } = await stage.prepare("ws_1");
    stage.git("worktree", "unlock", root);
    rmSync(root, { recursive: true });
    expect((await stage.prepare("ws_1")).path).toBe(folder);
    expect(existsSync(path.join(root, "web"))).toBe(true);
  });

  test("leaves worktrees of others alone", async () => {
    const stage = new Stage();
    const theirs = path.join(stage.root, "theirs");
    stage.git("worktree", "add", "--quiet", "-b", "theirs", theirs);
    await stage.prepare("ws_1");
    expect(stage.entries()).toContain(theirs);
  });
});

describe("a worktree that is let go", () => {
  test("is removed with its branch where nothing was done", async () => {
    const stage = new Stage();
    const workspace = await stage.prepare("ws_1");
    expect(await stage.worktrees.release(workspace)).toMatchObject({ status: "removed" });
    expect(existsSync(workspace.root)).toBe(false);
    expect(stage.git("branch", "--list", "helix-zed/*")).toBe("");
  });

  test("leaves its commits on its branch", async () => {
    const stage = new Stage();
    const workspace = await stage.prepare("ws_1");
    writeFileSync(path.join(workspace.path, "work.txt"), "work");
    stage.commit("Work", workspace.path);
    expect(await stage.worktrees.release(workspace)).toMatchObject({ status: "removed" });
    expect(stage.git("show", "helix-zed/ws_1:work.txt")).toBe("work");
  });

  test("is kept where it has what is in no commit", async () => {
    const stage = new Stage();
    const workspace = await stage.prepare("ws_1");
    writeFileSync(path.join(workspace.path, "work.txt"), "work");
    const released = await stage.worktrees.release(workspace);
    expect(released).toMatchObject({ status: "kept", statusReason: expect.stringContaining("helix-zed/ws_1") });
    expect(readFileSync(path.join(workspace.path, "work.txt"), "utf8")).toBe("work");
  });

  test("may be let go again, and after its repository is gone", async () => {
    const stage = new Stage();
    const workspace = await stage.prepare("ws_1");
    await stage.worktrees.release(workspace);
    expect(await stage.worktrees.release(workspace)).toMatchObject({ status: "removed" });
    rmSync(stage.repository, { recursive: true });
    expect(await stage.worktrees.release(workspace)).toMatchObject({ status: "removed" });
  });
});

describe("hooks of a repository", () => {
  test("are not run", async () => {
    const stage = new Stage();
    const hook = path.join(stage.repository, ".git", "hooks", "post-checkout");
    writeFileSync(hook, `#!/bin/sh\ntouch ${stage.root}/ran\n`, { mode: 0o755 });
    await stage.prepare("ws_1");
    expect(existsSync(path.join(stage.root, "ran"))).toBe(false);
  });
});
