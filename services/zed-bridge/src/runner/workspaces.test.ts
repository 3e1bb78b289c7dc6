import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ClaimWorkSessionResponseSchema } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import {
  type EnvironmentConfigSchema,
  Isolation,
  OnTurnEnd,
  WorkSessionSchema,
  WorkSessionStatus,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { Claim, RunnerHandler } from "@helix-zed/runner";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { App } from "../application/app.ts";
import { type BridgeApp, openBridgeApp } from "../testing/bridge-app.ts";
import { threadOf } from "../testing/read-thread.ts";
import { silentLog } from "../testing/serve-links.ts";
import { StubTaskService } from "../testing/stub-task-service.ts";
import { type TestWorkspaces, workspacesIn } from "../testing/workspaces-in.ts";
import { workSessionHandler } from "./work-session-handler.ts";
import { releaseEnded } from "./workspace-keeper.ts";

let bridge: BridgeApp;
let app: App;
let root: string;
let repository: string;
let taskService: StubTaskService;

const runner = "bridge-of-worktrees";

beforeEach(async () => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "zed-bridge-workspaces-")));
  repository = path.join(root, "shop");
  mkdirSync(repository);
  writeFileSync(path.join(repository, "README.md"), "# Shop\n");
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--no-gpg-sign", "-m", "Begin");
  bridge = await openBridgeApp({ roots: [root] });
  app = bridge.app;
  taskService = new StubTaskService();
  await taskService.start();
});

afterEach(async () => {
  await taskService.stop();
  await bridge.close();
  rmSync(root, { recursive: true, force: true });
});

function git(...args: string[]): string {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
  return execFileSync("git", [...who, ...args], { cwd: repository, encoding: "utf8", stdio: "pipe" }).trim();
}

function handlerWith(parts: TestWorkspaces = {}): RunnerHandler {
  const { workSessions } = taskService.clients;
  return workSessionHandler({ app, runner, workSessions, workspaces: workspacesIn(root, parts), log: silentLog });
}

function claimOf(
  environmentConfig: MessageInitShape<typeof EnvironmentConfigSchema>,
  taskId = app.world.newId("tsk"),
): Claim {
  const id = app.world.newId("ws");
  taskService.add(id, WorkSessionStatus.PENDING);
  const facts = { id, taskId, userId: "ann", agentType: "zed_agent", name: "Work" };
  const workSession = create(WorkSessionSchema, { ...facts, environmentConfig });
  const claim = { firstPrompt: "Say hello", projectPath: repository, onTurnEnd: OnTurnEnd.IDLE };
  return { ...create(ClaimWorkSessionResponseSchema, claim), workSession };
}

const worktree = { isolation: Isolation.WORKTREE };

describe("a work session that wants a copy of its own", () => {
  test("works in a worktree, and in the same one whoever claims it next", async () => {
    const claim = claimOf(worktree);
    await handlerWith().claimed(claim, 1n);
    await handlerWith().claimed(claim, 2n);
    const { mapping } = await threadOf(app, claim.workSession.id);
    const branch = `helix-zed/${claim.workSession.id}`;
    expect(mapping.workspace).toMatchObject({
      repository,
      branch,
      status: "ready",
      baseCommit: git("rev-parse", "main"),
    });
    expect(mapping.projectPath).toBe(mapping.workspace?.path);
    expect(readFileSync(path.join(mapping.projectPath, "README.md"), "utf8")).toBe("# Shop\n");
  });

  test("has an editor instance of its own beside the other sessions of its task", async () => {
    const taskId = app.world.newId("tsk");
    const claims = [claimOf(worktree, taskId), claimOf(worktree, taskId), claimOf({}, taskId)];
    for (const claim of claims) await handlerWith().claimed(claim, 1n);
    const mappings = await Promise.all(claims.map(({ workSession }) => threadOf(app, workSession.id)));
    expect(new Set(mappings.map(({ mapping }) => mapping.zedSessionId)).size).toBe(3);
    expect(mappings[2]?.mapping).toMatchObject({ projectPath: repository, workspace: null });
  });

  test("is reported as failed where there is nothing to copy", async () => {
    rmSync(path.join(repository, ".git"), { recursive: true });
    const claim = claimOf(worktree);
    await handlerWith().claimed(claim, 1n);
    expect(taskService.taken).toMatchObject([{ id: claim.workSession.id, reason: "WORKSPACE_NOT_A_REPOSITORY" }]);
  });
});

describe("a setup command", () => {
  test("makes the folder fit before the agent begins, once", async () => {
    const claim = claimOf({ ...worktree, setupCommand: ["sh", "-c", "echo one >> setup.txt"] });
    await handlerWith().claimed(claim, 1n);
    await handlerWith().claimed(claim, 2n);
    const { mapping } = await threadOf(app, claim.workSession.id);
    expect(readFileSync(path.join(mapping.projectPath, "setup.txt"), "utf8")).toBe("one\n");
  });

  test("is no shell's: its arguments are what they are", async () => {
    const claim = claimOf({ setupCommand: ["touch", "$(id) && `id`"] });
    await handlerWith().claimed(claim, 1n);
    expect(existsSync(path.join(repository, "$(id) && `id`"))).toBe(true);
  });

  test.each([
    ["fails", ["sh", "-c", "echo no compiler >&2; exit 3"], /ended with 3\.\nno compiler$/],
    ["does not exist", ["/no/such/program"], /cannot be started/],
    ["takes too long", ["sleep", "60"], /did not end within 0\.5 seconds/],
  ])("that %s fails the session, with what it said", async (_what, setupCommand, words) => {
    await handlerWith({ setupTimeoutMs: 500 }).claimed(claimOf({ setupCommand }), 1n);
    expect(taskService.taken).toMatchObject([
      { reason: "WORKSPACE_SETUP_FAILED", result: { error: expect.stringMatching(words) } },
    ]);
  });

  test("leaves no process behind", async () => {
    const mark = `setup-${app.world.newId("mark")}`;
    const setupCommand = ["sh", "-c", `sh -c 'exec -a ${mark} sleep 60' & exit 0`];
    await handlerWith().claimed(claimOf({ setupCommand }), 1n);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(`${mark} 60`);
  });
});

async function endedCopy(edit: (folder: string) => void = () => {}): Promise<{ id: string; folder: string }> {
  const claim = claimOf(worktree);
  const handler = handlerWith();
  await handler.claimed(claim, 1n);
  const { id } = claim.workSession;
  const { mapping } = await threadOf(app, id);
  edit(mapping.projectPath);
  taskService.add(id, WorkSessionStatus.COMPLETED);
  await handler.ended(id);
  // As its process has ended: it was never started here.
  const ended = "update zed_instances set desired = 'stopped', pid = null where id = ?";
  await app.database.transact(({ em }) => em.execute(ended, [mapping.zedSessionId]));
  return { id, folder: mapping.projectPath };
}

function release(parts: TestWorkspaces = {}): Promise<void> {
  return releaseEnded({ app, runner, workspaces: workspacesIn(root, parts), log: silentLog });
}

describe("a copy whose session has ended", () => {
  test("is removed, and callers see that", async () => {
    const { id, folder } = await endedCopy();
    await release();
    expect(existsSync(folder)).toBe(false);
    expect((await threadOf(app, id)).mapping.workspace).toMatchObject({ status: "removed" });
  });

  test("is kept with what is in no commit", async () => {
    const { id, folder } = await endedCopy((copy) => writeFileSync(path.join(copy, "draft.txt"), "draft"));
    await release();
    expect(existsSync(path.join(folder, "draft.txt"))).toBe(true);
    expect((await threadOf(app, id)).mapping.workspace).toMatchObject({ status: "kept" });
  });

  test("is kept where copies are kept", async () => {
    const { folder } = await endedCopy();
    await release({ policy: "keep" });
    expect(existsSync(folder)).toBe(true);
  });
});

test("the copy of a session that goes on is left alone", async () => {
  const claim = claimOf(worktree);
  await handlerWith().claimed(claim, 1n);
  await release();
  expect((await threadOf(app, claim.workSession.id)).mapping.workspace).toMatchObject({ status: "ready" });
});
