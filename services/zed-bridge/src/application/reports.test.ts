import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { closeThread } from "./close-thread.ts";
import { deleteZedThread } from "./delete-zed-thread.ts";
import { listLiveSessions } from "./list-live-sessions.ts";
import { listReports } from "./list-reports.ts";
import { type OpenThread, openThread } from "./open-thread.ts";
import { recordReported } from "./record-reported.ts";
import { releaseThread } from "./release-thread.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app, { onTurnEnd: "complete" });
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.start();
});

async function owed() {
  const reports = await listReports(bridge.app, { runner });
  return reports.filter(({ mappingId }) => mappingId === session.mappingId).map(({ outcome }) => outcome);
}

async function claimAgain(leaseEpoch: bigint): Promise<void> {
  const { mapping } = await threadOf(bridge.app, session.workSessionId);
  const command: OpenThread = {
    workSession: {
      id: session.workSessionId,
      taskId: mapping.taskId,
      userId: "ann",
      organizationId: "",
      agentType: "zed_agent",
      name: "Work",
    },
    leaseEpoch,
    firstPrompt: "Say hello",
    projectPath: "/somewhere/else",
    onTurnEnd: "complete",
    runner,
  };
  expect(await openThread(bridge.app, command)).toEqual({
    mappingId: session.mappingId,
    instanceId: session.instanceId,
  });
}

describe("a report", () => {
  test("is owed until it is recorded, and the newest is the one that counts", async () => {
    const request = await editor.beginThread();
    expect(await owed()).toEqual(["active"]);
    await editor.answer(request, "Done");
    expect(await owed()).toEqual(["completed"]);
    await recordReported(bridge.app, { mappingId: session.mappingId, outcome: "active" });
    expect(await owed()).toEqual(["completed"]);
    await recordReported(bridge.app, { mappingId: session.mappingId, outcome: "completed" });
    expect(await owed()).toEqual([]);
  });

  test("is owed once more under a newer lease, and nothing is begun twice", async () => {
    const request = await editor.beginThread();
    await recordReported(bridge.app, { mappingId: session.mappingId, outcome: "active" });
    await claimAgain(1n);
    expect(await owed()).toEqual([]);
    await claimAgain(2n);
    expect(await owed()).toEqual(["active"]);
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["sent"]);
    expect(await threadOf(bridge.app, session.workSessionId)).toMatchObject({ mapping: { projectPath: "/" } });
    await editor.answer(request, "Done");
    await claimAgain(3n);
    expect(await owed()).toEqual(["completed"]);
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["completed"]);
  });

  test("is not made without a lease, except that a caller has given up", async () => {
    const request = await editor.beginThread();
    await releaseThread(bridge.app, session);
    expect(await owed()).toEqual([]);
    await editor.entry({ request, index: 1, content: "Hel" });
    await deleteZedThread(bridge.app, ann, session);
    expect(await owed()).toEqual(["cancelled"]);
  });

  test("is not owed to whoever knows already", async () => {
    await editor.beginThread();
    await closeThread(bridge.app, { ...session, reason: "cancelled" });
    expect(await owed()).toEqual([]);
    expect(await threadOf(bridge.app, session.workSessionId)).toMatchObject({
      mapping: { status: "completed", statusReason: "SESSION_CANCELLED" },
    });
  });
});

describe("a session", () => {
  test("is live here until its thread has ended", async () => {
    expect(await listLiveSessions(bridge.app, { runner })).toContain(session.workSessionId);
    await closeThread(bridge.app, { ...session, reason: "ended" });
    expect(await listLiveSessions(bridge.app, { runner })).not.toContain(session.workSessionId);
  });

  test("that is gone takes its thread with it", async () => {
    await closeThread(bridge.app, { ...session, reason: "deleted" });
    const thread = threadOf(bridge.app, session.workSessionId);
    await expect(thread).rejects.toMatchObject({ reason: "ZED_THREAD_NOT_FOUND" });
  });

  test("that nobody has heard of is nothing to close or to release", async () => {
    await closeThread(bridge.app, { workSessionId: "ws_0", reason: "ended" });
    await releaseThread(bridge.app, { workSessionId: "ws_0" });
  });
});
