import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { closeThread } from "./close-thread.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { listInstances } from "./list-instances.ts";
import { recordExit } from "./record-exit.ts";
import { sendMessage } from "./send-message.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;
const world = new SimulatedWorld();

beforeAll(async () => {
  bridge = await openBridgeApp({ world, launchTarget: "zed-headless" });
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app);
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.start();
});

async function expireAfter(durationMs: number): Promise<void> {
  world.pass(durationMs + 1);
  await expireDeadlines(bridge.app, { runner });
}

function turns(of = session): Promise<string[]> {
  return turnsOf(bridge.app, of.workSessionId);
}

async function instance() {
  const instances = await listInstances(bridge.app, { runner });
  return instances.find(({ id }) => id === session.instanceId);
}

describe("a deadline", () => {
  test("fails a turn whose thread is never named, and a late name is taken nevertheless", async () => {
    const { request_id: request } = await editor.takeOne("chat_message");
    await expireAfter(bridge.app.limits.threadCreatedTimeoutMs);
    expect(await turns()).toEqual(["failed THREAD_NOT_CREATED"]);
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    expect(await editor.threadCreated(request, "thread-1")).toBeNull();
    expect(await threadOf(bridge.app, session.workSessionId)).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
    expect(await turns()).toEqual(["failed THREAD_NOT_CREATED"]);
  });

  test("marks a silent turn as stalled and nothing else; a sign takes the mark away", async () => {
    const request = await editor.beginThread();
    await expireAfter(bridge.app.limits.firstEventTimeoutMs);
    expect((await threadOf(bridge.app, session.workSessionId)).latestTurn).toMatchObject({
      status: "sent",
      stalled: true,
    });
    expect(await editor.take()).toEqual([]);
    await editor.entry({ request, index: 1, content: "Hel" });
    expect((await threadOf(bridge.app, session.workSessionId)).latestTurn).toMatchObject({ stalled: false });
    await expireAfter(bridge.app.limits.silenceTimeoutMs);
    expect((await threadOf(bridge.app, session.workSessionId)).latestTurn).toMatchObject({ stalled: true });
    await editor.completed(request);
    expect((await threadOf(bridge.app, session.workSessionId)).latestTurn).toMatchObject({
      status: "completed",
      stalled: false,
    });
  });

  test("lets a tool take its time", async () => {
    const request = await editor.beginThread();
    const tool = { name: "Build", status: "In Progress" };
    await editor.entry({ request, index: 1, content: "make", tool });
    await expireAfter(bridge.app.limits.silenceTimeoutMs * 5);
    expect((await threadOf(bridge.app, session.workSessionId)).latestTurn).toMatchObject({ stalled: false });
  });

  test("does not run while a turn of another thread holds the editor's queue", async () => {
    const taskId = (await threadOf(bridge.app, session.workSessionId)).mapping.taskId;
    await editor.answer(await editor.beginThread(), "Hello");
    const { workSessionId } = session;
    await sendMessage(bridge.app, ann, { workSessionId, message: "More", interrupt: false, requestId: "" });
    const { request_id: first } = await editor.takeOne("chat_message");
    await editor.entry({ request: first, index: 3, content: "I have begun" });
    world.pass(1_000);
    const other = await claimSession(bridge.app, { taskId, firstPrompt: "Other" });
    const { request_id: second } = await editor.takeOne("chat_message");
    await expireAfter(bridge.app.limits.threadCreatedTimeoutMs * 2);
    expect(await turns(other)).toEqual(["sent"]);
    await editor.completed(first);
    await expireAfter(bridge.app.limits.threadCreatedTimeoutMs - 1_000);
    expect(await turns(other)).toEqual(["sent"]);
    await expireAfter(1_000);
    expect(await turns(other)).toEqual(["failed THREAD_NOT_CREATED"]);
    expect(second).not.toBe(first);
  });

  test("ends a turn that was to be cancelled, whatever the editor says", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: "" });
    await editor.disconnect();
    await expireAfter(bridge.app.limits.cancelTimeoutMs);
    expect(await turns()).toEqual(["interrupted CANCELLED"]);
  });

  test("ends every turn some day", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await expireAfter(bridge.app.limits.turnTimeoutMs);
    expect(await turns()).toEqual(["failed TURN_TIMED_OUT"]);
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
  });

  test("tries to open a thread again", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    await editor.disconnect();
    await editor.connect();
    await editor.takeOne("open_thread");
    await expireAfter(bridge.app.limits.openTimeoutMs);
    expect(await editor.take()).toEqual([]);
    world.pass(60_000);
    await editor.takeOne("open_thread");
  });
});

describe("a process", () => {
  test("is let go when its last thread has ended, and wanted again with the next", async () => {
    await editor.beginThread();
    const { mapping } = await threadOf(bridge.app, session.workSessionId);
    await closeThread(bridge.app, { ...session, reason: "completed" });
    await expireDeadlines(bridge.app, { runner });
    expect(await instance()).toMatchObject({ desired: "running" });
    await expireAfter(bridge.app.limits.releaseDelayMs);
    expect(await instance()).toMatchObject({ desired: "stopped", status: "running" });
    await recordExit(bridge.app, { instanceId: session.instanceId, launch: 1, reason: "exit code 0", logLines: [] });
    expect(await instance()).toBeUndefined();
    await claimSession(bridge.app, { taskId: mapping.taskId });
    expect(await instance()).toMatchObject({ desired: "running", status: "starting" });
  });

  test("that never connects is unresponsive", async () => {
    await editor.disconnect();
    expect(await instance()).toMatchObject({ unresponsive: false });
    world.pass(bridge.app.limits.connectTimeoutMs + 1);
    expect(await instance()).toMatchObject({ unresponsive: true });
    await editor.connect();
    expect(await instance()).toMatchObject({ unresponsive: false });
  });
});
