import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Refusal } from "@helix-zed/domain";
import { ClaimWorkSessionResponseSchema } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import {
  type AgentConfigSchema,
  OnTurnEnd,
  PermissionPolicy,
  WorkSessionSchema,
  WorkSessionStatus,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { Claim, RunnerHandler } from "@helix-zed/runner";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { App } from "../application/app.ts";
import { type BridgeApp, claimSession, openBridgeApp } from "../testing/bridge-app.ts";
import { threadOf, transcriptOf, turnsOf } from "../testing/read-thread.ts";
import { silentLog } from "../testing/serve-links.ts";
import { StubTaskService } from "../testing/stub-task-service.ts";
import { workspacesIn } from "../testing/workspaces-in.ts";
import { workSessionHandler } from "./work-session-handler.ts";

let bridge: BridgeApp;
let root: string;
let app: App;
let taskService: StubTaskService;
let runner: string;
let handler: RunnerHandler;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(`${tmpdir()}/zed-bridge-root-`));
  bridge = await openBridgeApp({ roots: [root] });
  app = bridge.app;
});

afterAll(async () => {
  await bridge.close();
  rmSync(root, { recursive: true });
});

beforeEach(async () => {
  taskService = new StubTaskService();
  await taskService.start();
  runner = app.world.newId("bridge");
  handler = workSessionHandler({
    app,
    runner,
    workSessions: taskService.clients.workSessions,
    workspaces: workspacesIn(root),
    log: silentLog,
  });
});

afterEach(() => taskService.stop());

interface Wanted {
  readonly projectPath?: string;
  readonly agentType?: string;
  readonly agentConfig?: MessageInitShape<typeof AgentConfigSchema>;
}

function claimOf({ projectPath = root, agentType = "zed_agent", agentConfig = {} }: Wanted = {}): Claim {
  const id = app.world.newId("ws");
  taskService.add(id, WorkSessionStatus.PENDING);
  const facts = { id, taskId: app.world.newId("tsk"), userId: "ann", agentType, agentConfig, name: "Work" };
  const claim = { firstPrompt: "Say hello", projectPath, onTurnEnd: OnTurnEnd.IDLE };
  const workSession = create(WorkSessionSchema, facts);
  return { ...create(ClaimWorkSessionResponseSchema, claim), workSession };
}

async function claimKnown(): Promise<string> {
  const { workSessionId } = await claimSession(app, { runner, projectPath: root });
  taskService.add(workSessionId);
  return workSessionId;
}

describe("a claimed work session", () => {
  test("gets a thread with its first prompt, once, however often it is claimed", async () => {
    const claim = claimOf();
    await handler.claimed(claim, 1n);
    await handler.claimed(claim, 2n);
    const { mapping } = await threadOf(app, claim.workSession.id);
    expect(mapping).toMatchObject({ projectPath: root, agentName: "zed-agent", leaseEpoch: 2n, status: "pending" });
    expect(await turnsOf(app, claim.workSession.id)).toEqual(["queued"]);
    expect(await transcriptOf(app, claim.workSession.id)).toEqual([]);
  });

  test.each<[string, Wanted, string]>([
    ["a folder outside of the roots", { projectPath: "/etc" }, "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["a folder that does not exist", { projectPath: "/nowhere/at/all" }, "PROJECT_PATH_"],
    ["no folder at all", { projectPath: "" }, "PROJECT_PATH_"],
    ["an agent type that nobody drives", { agentType: "zed_nobody" }, "AGENT_TYPE_UNKNOWN"],
  ])("is reported as failed, with the reason, for %s", async (_what, wanted, reason) => {
    const claim = claimOf(wanted);
    await handler.claimed(claim, 1n);
    expect(taskService.taken).toMatchObject([
      {
        id: claim.workSession.id,
        status: WorkSessionStatus.FAILED,
        reason: expect.stringMatching(`^${reason}`),
        leaseEpoch: 1n,
        result: { error: expect.stringMatching(/.+/) },
      },
    ]);
  });

  test("has its agent set up as it says", async () => {
    const settings = { model: "small", mode: "plan" };
    const claim = claimOf({ agentConfig: { ...settings, permissionPolicy: PermissionPolicy.ASK } });
    await handler.claimed(claim, 1n);
    const { mapping } = await threadOf(app, claim.workSession.id);
    expect(mapping).toMatchObject({ ...settings, permissionPolicy: "ask" });
    const plain = claimOf();
    await handler.claimed(plain, 1n);
    const usual = { model: null, mode: null, permissionPolicy: null };
    expect((await threadOf(app, plain.workSession.id)).mapping).toMatchObject(usual);
  });

  test("that cannot be begun wants to be told again while task-service is away", async () => {
    const claim = claimOf({ projectPath: "/etc" });
    taskService.faults.push({ refusal: new Refusal("SERVER_DRAINING", "The server is stopping.") });
    await expect(handler.claimed(claim, 1n)).rejects.toThrow("task-service");
    await handler.claimed(claim, 1n);
    expect(taskService.taken).toHaveLength(1);
  });

  test("is left alone, but kept, when its lease is lost", async () => {
    const claim = claimOf();
    await handler.claimed(claim, 1n);
    await handler.lost(claim.workSession.id);
    expect((await threadOf(app, claim.workSession.id)).mapping).toMatchObject({ leaseEpoch: null, status: "pending" });
  });

  test("ends with its thread", async () => {
    const claim = claimOf();
    await handler.claimed(claim, 1n);
    taskService.add(claim.workSession.id, WorkSessionStatus.CANCELLED);
    await handler.ended(claim.workSession.id);
    const { mapping } = await threadOf(app, claim.workSession.id);
    expect(mapping).toMatchObject({ status: "completed", statusReason: "SESSION_CANCELLED" });
    expect(await turnsOf(app, claim.workSession.id)).toEqual([expect.stringMatching(/^interrupted/)]);
  });

  test("may be one that nobody knows", async () => {
    await handler.lost("ws_unknown");
    await handler.ended("ws_unknown");
  });
});

describe("after a list of all living sessions", () => {
  test("those that have ended meanwhile are closed, and those that only were not listed yet are not", async () => {
    const [listed, ended, young] = [await claimKnown(), await claimKnown(), await claimKnown()];
    taskService.add(ended, WorkSessionStatus.COMPLETED);
    await handler.synced(new Set([listed]));
    const statuses = await Promise.all(
      [listed, ended, young].map(async (id) => (await threadOf(app, id)).mapping.status),
    );
    expect(statuses).toEqual(["pending", "completed", "pending"]);
  });
});
