import type { Actor } from "@helix-zed/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, bob, threadOf, turnsOf } from "../testing/read-thread.ts";
import { acceptLink } from "./accept-link.ts";
import { adoptZedInstance } from "./adopt-zed-instance.ts";
import type { App, FoundTask } from "./app.ts";
import { claimCommands } from "./claim-commands.ts";
import { closeThread } from "./close-thread.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { findPresentingInstance } from "./find-presenting-instance.ts";
import { issueZedInstanceToken } from "./issue-zed-instance-token.ts";
import { prepareLaunch } from "./prepare-launch.ts";
import { recordLaunch } from "./record-launch.ts";
import { resolvePlace } from "./resolve-place.ts";
import { retireInstances } from "./retire-instances.ts";
import { revokeZedInstanceToken } from "./revoke-zed-instance-token.ts";
import { stopIdleInstances } from "./stop-idle-instances.ts";
import { stopZedInstance } from "./stop-zed-instance.ts";
import { getZedInstance } from "./zed-instances.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";

const world = new SimulatedWorld();
const folder = "/home/retro/work";
let bridge: BridgeApp;
let taskId: string;
let known: FoundTask;

/** A bridge that starts nothing by itself. */
const external = (): App => ({ ...bridge.app, launchTarget: "external" });

beforeAll(async () => {
  const tasks = {
    find: async (actor: Actor, id: string) =>
      id === known.id && (actor.kind === "service" || actor.userId === "ann") ? known : null,
  };
  bridge = await openBridgeApp({ world, tasks });
});

afterAll(() => bridge.close());

beforeEach(() => {
  taskId = world.newId("tsk");
  known = { id: taskId, userId: "ann", organizationId: "", ended: false };
});

const newSessionId = (): string => world.newId("ses");

function adopt(zedSessionId: string, { actor = ann, app = bridge.app, workingDirectory = folder } = {}) {
  return adoptZedInstance(app, actor, { taskId, zedSessionId, workingDirectory });
}

function connect(instanceId: string, token: string): Promise<{ readonly epoch: number }> {
  return acceptLink(bridge.app, { instanceId, token });
}

describe("an editor that is adopted", () => {
  test("may connect as what it presents, with the token that was shown, and carries out the sessions of its folder", async () => {
    const presented = newSessionId();
    const { instance, token } = await adopt(presented);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(instance).toMatchObject({ launchTarget: "external", presentedId: presented, status: "starting" });
    expect(JSON.stringify(await getZedInstance(bridge.app, ann, { id: instance.id }))).not.toContain(token);
    expect(await findPresentingInstance(bridge.app, presented)).toBe(instance.id);
    expect(await findPresentingInstance(bridge.app, instance.id)).toBeNull();
    await connect(instance.id, token);
    const session = await claimSession(bridge.app, { taskId, projectPath: folder });
    expect(session.instanceId).toBe(instance.id);
    expect(await getZedInstance(bridge.app, ann, instance)).toMatchObject({ status: "running", connected: true });
  });

  test("becomes the instance that its bridge waits for already", async () => {
    const session = await claimSession(external(), { taskId, projectPath: folder });
    const { instance } = await adopt(newSessionId());
    expect(instance.id).toBe(session.instanceId);
  });

  test("again is the same instance with another token, and the older one gets nowhere", async () => {
    const presented = newSessionId();
    const first = await adopt(presented);
    const second = await adopt(presented);
    expect(second.instance.id).toBe(first.instance.id);
    await expect(connect(first.instance.id, first.token)).rejects.toMatchObject({ reason: "LINK_TOKEN_INVALID" });
    await connect(second.instance.id, second.token);
  });

  test("under another session id is found under that one only", async () => {
    const [before, after] = [newSessionId(), newSessionId()];
    const { instance } = await adopt(before);
    await adopt(after);
    expect(await findPresentingInstance(bridge.app, before)).toBeNull();
    expect(await findPresentingInstance(bridge.app, after)).toBe(instance.id);
  });

  test("is nobody's process to stop: with nothing to do for long, it stays", async () => {
    const { instance, token } = await adopt(newSessionId());
    await connect(instance.id, token);
    const session = await claimSession(bridge.app, { taskId, projectPath: folder });
    await closeThread(bridge.app, { workSessionId: session.workSessionId, reason: "completed" });
    world.pass(24 * 60 * 60 * 1_000);
    await expireDeadlines(bridge.app, { runner });
    await stopIdleInstances(bridge.app, { runner });
    expect(await getZedInstance(bridge.app, ann, instance)).toMatchObject({ desired: "running", status: "running" });
  });

  test("is cut off when it is stopped, and let in again when there is work", async () => {
    const { instance, token } = await adopt(newSessionId());
    await connect(instance.id, token);
    await stopZedInstance(bridge.app, ann, { id: instance.id });
    expect(await getZedInstance(bridge.app, ann, instance)).toMatchObject({ status: "stopped", connected: false });
    await expect(connect(instance.id, token)).rejects.toMatchObject({ reason: "LINK_TOKEN_INVALID" });
    await claimSession(bridge.app, { taskId, projectPath: folder });
    await connect(instance.id, token);
  });

  test("keeps its token when its sessions move to another bridge", async () => {
    const { instance, token } = await adopt(newSessionId());
    const { epoch } = await connect(instance.id, token);
    const session = await claimSession(bridge.app, { taskId, projectPath: folder });
    const { workSessionId } = session;
    const moved = { taskId, projectPath: folder, workSessionId, leaseEpoch: 2n, runner: "another-bridge" };
    await claimSession(bridge.app, moved);
    expect(await getZedInstance(bridge.app, ann, instance)).toMatchObject({ runner: "another-bridge" });
    expect((await connect(instance.id, token)).epoch).toBeGreaterThan(epoch);
  });

  test("is gone with its task, and its token with it", async () => {
    const { instance, token } = await adopt(newSessionId());
    const { workSessionId } = await claimSession(bridge.app, { taskId, projectPath: folder });
    await closeThread(bridge.app, { workSessionId, reason: "deleted" });
    expect(await retireInstances(bridge.app, { runner })).toBe(1);
    await expect(getZedInstance(bridge.app, ann, instance)).rejects.toMatchObject({ reason: "ZED_INSTANCE_NOT_FOUND" });
    await expect(connect(instance.id, token)).rejects.toMatchObject({ reason: "LINK_TOKEN_INVALID" });
  });
});

describe("adopting is refused", () => {
  test("for a task of somebody else as for none", async () => {
    await expect(adopt(newSessionId(), { actor: bob })).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
    known = { ...known, id: "tsk_another" };
    await expect(adopt(newSessionId())).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
  });

  test("for a task that has ended", async () => {
    known = { ...known, ended: true };
    await expect(adopt(newSessionId())).rejects.toMatchObject({ reason: "TASK_ENDED" });
  });

  test("where another instance presents the session id, also when both ask at once", async () => {
    const presented = newSessionId();
    const places = ["/a", "/b", "/c", "/d"];
    const results = await Promise.allSettled(places.map((workingDirectory) => adopt(presented, { workingDirectory })));
    const refused = results.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(3);
    for (const refusal of refused) expect(refusal).toMatchObject({ reason: { reason: "ZED_SESSION_ID_TAKEN" } });
  });

  test("for a session id that looks like one of ours", async () => {
    await expect(adopt("zed_0")).rejects.toMatchObject({ reason: "ZED_SESSION_ID_RESERVED" });
  });

  test("where the bridge runs a process in that folder, or is about to", async () => {
    const { instanceId } = await claimSession(bridge.app, { taskId, projectPath: folder });
    const launch = await prepareLaunch(bridge.app, { instanceId });
    await expect(adopt(newSessionId())).rejects.toMatchObject({ reason: "INSTANCE_RUNS" });
    await recordLaunch(bridge.app, { instanceId, launch: launch?.launch ?? 0, pid: 7, pidStartedAt: "7" });
    await expect(adopt(newSessionId())).rejects.toMatchObject({ reason: "INSTANCE_RUNS" });
  });
});

describe("the token of an instance", () => {
  test("that the bridge starts is not for anybody to ask for", async () => {
    const { instanceId: id } = await claimSession(bridge.app, { taskId });
    await expect(issueZedInstanceToken(bridge.app, ann, { id })).rejects.toMatchObject({
      reason: "INSTANCE_NOT_EXTERNAL",
    });
  });

  test("is issued to its owner and to a service that acts for nobody else, and to no one besides", async () => {
    const { instanceId: id } = await claimSession(external(), { taskId, projectPath: folder });
    const service: Actor = { kind: "service", name: "helix", roles: ["runner"] };
    for (const actor of [ann, service]) await issueZedInstanceToken(bridge.app, actor, { id });
    for (const refused of [issueZedInstanceToken, revokeZedInstanceToken]) {
      await expect(refused(bridge.app, bob, { id })).rejects.toMatchObject({ reason: "ZED_INSTANCE_NOT_FOUND" });
    }
  });

  test("that is new ends the older one and its link, and its turn goes back to the queue", async () => {
    const session = await claimSession(external(), { taskId, projectPath: folder });
    const id = session.instanceId;
    const older = await issueZedInstanceToken(bridge.app, ann, { id });
    const { epoch } = await connect(id, older.token);
    world.pass(bridge.app.limits.readyTimeoutMs);
    expect(await claimCommands(bridge.app, { instanceId: id, epoch })).toMatchObject([{ type: "chat_message" }]);
    const { instance, token } = await issueZedInstanceToken(bridge.app, ann, { id });
    expect(instance).toMatchObject({ connected: false, status: "starting", statusReason: "WAITING_FOR_EDITOR" });
    expect(instance.linkEpoch).toBeGreaterThan(epoch);
    await expect(connect(id, older.token)).rejects.toMatchObject({ reason: "LINK_TOKEN_INVALID" });
    await connect(id, token);
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["queued EDITOR_LOST"]);
  });

  test("that was revoked is good no more, and revoking it again changes nothing", async () => {
    const { instanceId: id, workSessionId } = await claimSession(external(), { taskId, projectPath: folder });
    const { token } = await issueZedInstanceToken(bridge.app, ann, { id });
    await connect(id, token);
    const revoked = await revokeZedInstanceToken(bridge.app, ann, { id });
    expect(revoked).toMatchObject({ connected: false, statusReason: "TOKEN_REVOKED" });
    await expect(connect(id, token)).rejects.toMatchObject({ reason: "LINK_TOKEN_INVALID" });
    expect((await revokeZedInstanceToken(bridge.app, ann, { id })).linkEpoch).toBe(revoked.linkEpoch);
    expect(await threadOf(bridge.app, workSessionId)).toMatchObject({ mapping: { status: "pending" } });
  });
});

describe("the folder of a session", () => {
  test("is the adopted editor's where nobody names one, or names that one", async () => {
    await adopt(newSessionId());
    expect(await resolvePlace(bridge.app, { taskId, projectPath: "" })).toBe(folder);
    expect(await resolvePlace(bridge.app, { taskId, projectPath: `${folder}/../work/` })).toBe(folder);
  });

  test("is below a root of this host everywhere else", async () => {
    await adopt(newSessionId());
    const elsewhere = resolvePlace({ ...bridge.app, roots: ["/srv"] }, { taskId, projectPath: "/etc" });
    await expect(elsewhere).rejects.toMatchObject({ reason: "PROJECT_PATH_OUTSIDE_ROOTS" });
  });

  test("need not exist here where somebody else starts all editors, but must be absolute", async () => {
    expect(await resolvePlace(external(), { taskId, projectPath: "/nowhere/here" })).toBe("/nowhere/here");
    await expect(resolvePlace(external(), { taskId, projectPath: "here" })).rejects.toMatchObject({
      reason: "PROJECT_PATH_NOT_ABSOLUTE",
    });
    await expect(resolvePlace(external(), { taskId, projectPath: "" })).rejects.toMatchObject({
      reason: "PROJECT_PATH_REQUIRED",
    });
  });
});
