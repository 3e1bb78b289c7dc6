import type { Actor } from "@helix-zed/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, bob, threadOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";
import { acceptLink } from "./accept-link.ts";
import { closeLink, forgetLinks } from "./close-link.ts";
import { listInstances } from "./list-instances.ts";
import { openThread } from "./open-thread.ts";
import { prepareLaunch } from "./prepare-launch.ts";
import { recordExit } from "./record-exit.ts";
import { recordLaunch } from "./record-launch.ts";
import { recordLogLines } from "./record-log-lines.ts";
import { sendMessage } from "./send-message.ts";
import { stopZedInstance } from "./stop-zed-instance.ts";
import { getZedInstance, listZedInstances } from "./zed-instances.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;
const world = new SimulatedWorld();

beforeAll(async () => {
  bridge = await openBridgeApp({ world });
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app);
  editor = new ScriptedEditor(bridge.app, session.instanceId);
});

function instance() {
  return getZedInstance(bridge.app, ann, { id: session.instanceId });
}

async function facts() {
  const instances = await listInstances(bridge.app, { runner });
  return instances.find(({ id }) => id === session.instanceId);
}

describe("an instance", () => {
  test("is one for each task and folder, however many sessions begin at once", async () => {
    const taskId = world.newId("tsk");
    const sessions = await Promise.all(Array.from({ length: 8 }, () => claimSession(bridge.app, { taskId })));
    expect(new Set(sessions.map(({ instanceId }) => instanceId)).size).toBe(1);
    const elsewhere = await claimSession(bridge.app, { taskId, projectPath: "/tmp" });
    expect(elsewhere.instanceId).not.toBe(sessions[0]?.instanceId);
  });

  test("starts, connects, ends by itself and starts again after a pause", async () => {
    expect(await instance()).toMatchObject({ status: "starting", desired: "running", pid: null });
    await editor.launch();
    expect(await instance()).toMatchObject({ status: "starting", pid: 1_001, launchCount: 1 });
    await editor.connect();
    expect(await instance()).toMatchObject({ status: "running", connected: true });
    await editor.crash("exit code 3");
    expect(await instance()).toMatchObject({ status: "restarting", statusReason: "exit code 3", restartCount: 1 });
    expect(await instance()).toMatchObject({ pid: null, connected: false, lastLogLines: ["bye"] });
    expect(await prepareLaunch(bridge.app, { instanceId: session.instanceId })).toBeNull();
    world.pass(bridge.app.limits.restartDelayMs);
    await editor.start();
    expect(await instance()).toMatchObject({ status: "running", pid: 1_002 });
  });

  test("counts the end of a process once, however many notice it", async () => {
    await editor.start();
    await editor.crash();
    await editor.crash();
    expect(await instance()).toMatchObject({ restartCount: 1, recentExits: [expect.any(Number)] });
  });

  test("is launched once at a time", async () => {
    await editor.launch();
    expect(await prepareLaunch(bridge.app, { instanceId: session.instanceId })).toBeNull();
  });

  test("does not heed what an older launch has to say", async () => {
    const first = await prepareLaunch(bridge.app, { instanceId: session.instanceId });
    await editor.start();
    const { instanceId } = session;
    const older = { instanceId, launch: first?.launch ?? 0 };
    expect(await recordLaunch(bridge.app, { ...older, pid: 7, pidStartedAt: "7" })).toBe(false);
    await recordExit(bridge.app, { ...older, reason: "late", logLines: [] });
    await recordLogLines(bridge.app, { ...older, logLines: ["late"] });
    expect(await instance()).toMatchObject({ status: "running", pid: 1_002, lastLogLines: [] });
    await expect(acceptLink(bridge.app, { instanceId, token: first?.token ?? "" })).rejects.toMatchObject({
      reason: "LINK_TOKEN_INVALID",
    });
  });

  test("keeps the last hundred lines that it wrote", async () => {
    await editor.start();
    const logLines = Array.from({ length: 150 }, (_, index) => `line ${index}`);
    await recordLogLines(bridge.app, { instanceId: session.instanceId, launch: 1, logLines });
    expect((await instance()).lastLogLines).toEqual(logLines.slice(-100));
  });

  test("counts as disconnected when its bridge begins anew", async () => {
    await editor.start();
    await editor.beginThread();
    await forgetLinks(bridge.app, { runner });
    expect(await instance()).toMatchObject({ connected: false, status: "running" });
    expect(await threadOf(bridge.app, session.workSessionId)).toMatchObject({ mapping: { status: "disconnected" } });
  });

  test("is not disconnected by the end of a link that is not its current one", async () => {
    await editor.start();
    const older = { instanceId: session.instanceId, epoch: editor.epoch };
    await editor.connect();
    await closeLink(bridge.app, older);
    expect(await instance()).toMatchObject({ connected: true });
  });
});

describe("stopping an instance", () => {
  test("ends its turns and its process, and new work starts it again", async () => {
    await editor.start();
    await editor.beginThread();
    await stopZedInstance(bridge.app, ann, { id: session.instanceId });
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["interrupted INSTANCE_STOPPED"]);
    expect(await facts()).toMatchObject({ desired: "stopped", pid: 1_001 });
    await recordExit(bridge.app, { ...session, launch: 1, reason: "SIGTERM", logLines: [] });
    expect(await instance()).toMatchObject({ status: "stopped", statusReason: "STOPPED_ON_REQUEST", restartCount: 0 });
    expect(await facts()).toBeUndefined();
    const { workSessionId } = session;
    await sendMessage(bridge.app, ann, { workSessionId, message: "More", interrupt: false, requestId: "" });
    expect(await facts()).toMatchObject({ desired: "running", status: "starting" });
    await editor.start();
    await editor.takeOne("open_thread");
  });

  test("without a process is done at once", async () => {
    expect(await stopZedInstance(bridge.app, ann, { id: session.instanceId })).toMatchObject({ status: "stopped" });
  });
});

describe("an instance that another bridge takes over", () => {
  test("is that one's alone from then on", async () => {
    await editor.start();
    const request = await editor.beginThread();
    const { mapping } = await threadOf(bridge.app, session.workSessionId);
    await openThread(bridge.app, {
      workSession: {
        id: session.workSessionId,
        taskId: mapping.taskId,
        userId: "ann",
        organizationId: "",
        agentType: "zed_agent",
        name: "Work",
      },
      leaseEpoch: 2n,
      firstPrompt: "Say hello",
      projectPath: "/",
      onTurnEnd: "idle",
      runner: "another-bridge",
    });
    expect(await facts()).toBeUndefined();
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["queued EDITOR_LOST"]);
    expect(await editor.take()).toEqual([]);
    expect(await editor.entry({ request, index: 1, content: "ghost" })).toBe("its attempt is over");
    expect(await listInstances(bridge.app, { runner: "another-bridge" })).toMatchObject([{ pid: null }]);
  });
});

describe("a caller", () => {
  const inOrganization: Actor = { kind: "user", userId: "ann", organizationId: "acme" };

  test.each([
    ["another person", bob],
    ["the same person in an organization", inOrganization],
    ["a service that acts for another", { kind: "service", name: "helix", roles: [], actsFor: { userId: "bob" } }],
  ] as const)("who is %s finds an instance as absent as one that never was", async (_, actor) => {
    const refusalOf = async (id: string) => {
      const error: unknown = await getZedInstance(bridge.app, actor, { id }).catch((caught: unknown) => caught);
      return JSON.stringify(error).replaceAll(id, "ID");
    };
    expect(await refusalOf(session.instanceId)).toBe(await refusalOf("zed_0"));
    const stop = stopZedInstance(bridge.app, actor, { id: session.instanceId });
    await expect(stop).rejects.toMatchObject({ reason: "ZED_INSTANCE_NOT_FOUND" });
    expect((await listZedInstances(bridge.app, actor, { taskId: "", pageSize: 0, pageToken: "" })).instances).toEqual(
      [],
    );
  });

  test("pages through the instances, newest first", async () => {
    const taskId = world.newId("tsk");
    const made: string[] = [];
    for (const projectPath of ["/a", "/b", "/c"]) {
      made.push((await claimSession(bridge.app, { taskId, projectPath })).instanceId);
    }
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await listZedInstances(bridge.app, ann, { taskId, pageSize: 2, pageToken });
      seen.push(...page.instances.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(made.toReversed());
    const page = await listZedInstances(bridge.app, ann, { taskId, pageSize: 2, pageToken: "" });
    const elsewhere = listZedInstances(bridge.app, ann, { taskId: "", pageSize: 2, pageToken: page.nextPageToken });
    await expect(elsewhere).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
  });
});
