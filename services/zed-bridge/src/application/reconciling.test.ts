import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runner } from "../testing/bridge-app.ts";
import { Stage } from "../testing/stage.ts";
import { ann } from "../testing/read-thread.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { claimCommands } from "./claim-commands.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { recordReceipt } from "./record-receipt.ts";

async function expireAfter(stage: Stage, durationMs: number): Promise<void> {
  stage.world.pass(durationMs + 1);
  await expireDeadlines(stage.app, { runner });
}

/** Sends a message in a thread that has answered before, and gives its request id. */
async function secondTurn(stage: Stage): Promise<string> {
  await stage.editor.answer(await stage.editor.beginThread(), "Hello");
  await stage.send("More");
  return (await stage.editor.takeOne("chat_message")).request_id;
}

/** The link breaks, the same process connects again, and the thread shows that it is alive. */
async function reconnect(stage: Stage): Promise<void> {
  await stage.editor.disconnect();
  await stage.editor.connect({ ready: false });
  await stage.editor.takeOne("open_thread");
  await stage.editor.ready("thread-1");
}

describe("after a link has broken, an editor that loses no event", () => {
  const stage = new Stage();
  beforeAll(() => stage.open({ launchTarget: "acp-host" }));
  afterAll(() => stage.close());
  beforeEach(() => stage.begin());

  test("is given the prompt again that may not have arrived, as the same attempt", async () => {
    const request = await secondTurn(stage);
    await reconnect(stage);
    expect(await stage.editor.take()).toEqual([]);
    await expireAfter(stage, stage.app.limits.resendDelayMs);
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, attempt: 1 });
    await stage.editor.answer(request, "There", { index: 3 });
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });

  test("is given it again too where it was to begin the thread", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    await stage.editor.disconnect();
    await stage.editor.connect();
    await expireAfter(stage, stage.app.limits.resendDelayMs);
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, attempt: 1 });
  });

  test("is not given a prompt again that it has received", async () => {
    const request = await secondTurn(stage);
    const { instanceId } = stage.session;
    await recordReceipt(stage.app, { instanceId, epoch: stage.editor.epoch, turnId: request });
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.firstEventTimeoutMs);
    expect(await stage.editor.take()).toEqual([]);
    expect((await stage.thread()).latestTurn).toMatchObject({ status: "sent", stalled: true });
  });

  test("is never asked after a turn, however long it says nothing", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "I think" });
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs * 3);
    expect(await stage.editor.take()).toEqual([]);
    expect((await stage.thread()).latestTurn).toMatchObject({ status: "running", stalled: true });
  });

  test("has the receipt of another connection count for nothing", async () => {
    const request = await secondTurn(stage);
    const { instanceId } = stage.session;
    const older = stage.editor.epoch - 1;
    await recordReceipt(stage.app, { instanceId, epoch: older, turnId: request });
    await recordReceipt(stage.app, { instanceId: "zed_0", epoch: stage.editor.epoch, turnId: request });
    expect((await stage.thread()).latestTurn).toMatchObject({ receivedAt: null });
  });
});

describe("after a link has broken, a real editor", () => {
  const stage = new Stage();
  beforeAll(() => stage.open({ launchTarget: "zed-headless" }));
  afterAll(() => stage.close());
  beforeEach(() => stage.begin());

  test("that is not at work on a turn has ended it, and the end was lost", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "The whole answer" });
    await reconnect(stage);
    expect(await stage.editor.take()).toEqual([]);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    expect((await stage.thread()).latestTurn).toMatchObject({ status: "running", stalled: true });
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    await stage.editor.cancelled(request, "noop");
    expect(await stage.turns()).toEqual(["completed", "completed COMPLETION_LOST"]);
    expect(await stage.transcript()).toContain("assistant: The whole answer");
    await stage.send("Go on");
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ message: "Go on" });
  });

  test("that is not at work on a turn and has said nothing of it is given it again", async () => {
    const request = await secondTurn(stage);
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.firstEventTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "noop");
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, attempt: 2 });
  });

  test("that is at work has the turn begun anew, when it has stopped", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "I thi" });
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "cancelled");
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.entry({ request, index: 3, content: "I think" });
    await stage.editor.completed(request);
    expect(await stage.turns()).toEqual(["completed", "queued SILENT_AFTER_RECONNECT"]);
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, attempt: 2 });
    await stage.editor.answer(request, "I think so", { index: 5 });
    expect((await stage.transcript()).slice(2)).toEqual(["user: More", "assistant: I think so"]);
  });

  test("that does not say that it has stopped is waited for only so long", async () => {
    const request = await secondTurn(stage);
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.firstEventTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "cancelled");
    await expireAfter(stage, stage.app.limits.cancelTimeoutMs);
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, attempt: 2 });
  });

  test("is not asked after a turn that it speaks of on the new link", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "Hel" });
    await reconnect(stage);
    await stage.editor.entry({ request, index: 3, content: "Hello" });
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    expect(await stage.editor.take()).toEqual([]);
    expect((await stage.thread()).latestTurn).toMatchObject({ stalled: true });
  });

  test("is not asked while a tool runs, nor on the link that the turn was sent on", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "make", tool: { name: "Build", status: "In Progress" } });
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs * 2);
    expect(await stage.editor.take()).toEqual([]);
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs * 2);
    expect(await stage.editor.take()).toEqual([]);
  });

  test("is asked once on each link, and an answer to somebody's cancel is none to that", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "Hel" });
    expect(await stage.editor.cancelled(request, "noop")).toBe("nothing ran under this request id");
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await expireDeadlines(stage.app, { runner });
    expect(await stage.editor.take()).toEqual([]);
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
  });

  test("that does not answer is cut off, and asked again when it is back", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "Hel" });
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await expireAfter(stage, stage.app.limits.cancelTimeoutMs);
    expect(await stage.thread()).toMatchObject({ mapping: { status: "disconnected" } });
    const { instanceId } = stage.session;
    expect(await claimCommands(stage.app, { instanceId, epoch: stage.editor.epoch })).toBeNull();
    await reconnect(stage);
    await expireAfter(stage, stage.app.limits.silenceTimeoutMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "noop");
    expect(await stage.turns()).toEqual(["completed", "completed COMPLETION_LOST"]);
  });

  test("that has made a thread and lost its name is believed when it speaks of the turn", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    await stage.editor.disconnect();
    await stage.editor.connect();
    await stage.editor.entry({ request, index: 1, content: "Hello", thread: "thread-7" });
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active", zedThreadId: "thread-7" } });
    await stage.editor.completed(request, "thread-7");
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect(await stage.turns()).toEqual(["completed"]);
  });

  test("has no thread believed on the link that the prompt was sent on: there it is announced", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request, index: 1, content: "Hello", thread: "thread-7" });
    expect(await stage.thread()).toMatchObject({ mapping: { zedThreadId: null } });
  });

  test("that never named the thread, and is not at work, is given the prompt again", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    await stage.editor.disconnect();
    await stage.editor.connect();
    await expireAfter(stage, stage.app.limits.threadCreatedTimeoutMs);
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    await stage.editor.cancelled(request, "noop");
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ request_id: request, acp_thread_id: null });
  });

  test("that begins a turn which was given up while it waited there is told again to stop it, once", async () => {
    const request = await secondTurn(stage);
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: request });
    stage.world.pass(stage.app.limits.cancelDelayMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "noop");
    await expireAfter(stage, stage.app.limits.cancelTimeoutMs);
    expect(await stage.turns()).toEqual(["completed", "interrupted CANCELLED"]);
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.entry({ request, index: 3, content: "Now" });
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    await stage.editor.entry({ request, index: 3, content: "Now I" });
    expect(await stage.editor.take()).toEqual([]);
  });

  test("that does not open the thread keeps the turn that it has", async () => {
    const request = await secondTurn(stage);
    await stage.editor.entry({ request, index: 3, content: "Hel" });
    await stage.editor.disconnect();
    await stage.editor.connect({ ready: false });
    await stage.editor.takeOne("open_thread");
    await expireAfter(stage, stage.app.limits.openTimeoutMs);
    expect(await stage.turns()).toEqual(["completed", "running"]);
    await stage.editor.answer(request, "Hello", { index: 3 });
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });
});
