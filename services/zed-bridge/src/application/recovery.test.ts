import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { claimSession } from "../testing/bridge-app.ts";
import { transcriptOf } from "../testing/read-thread.ts";
import { Stage } from "../testing/stage.ts";

const stage = new Stage();

beforeAll(() => stage.open());

afterAll(() => stage.close());

beforeEach(() => stage.begin());

describe("an agent that dies in the middle of a turn", () => {
  test("is given the same turn again, after the thread was loaded, and nothing is said twice", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await stage.editor.failed(request, "the agent process exited in mid-turn");
    expect(await stage.turns()).toEqual(["queued AGENT_CRASHED"]);
    expect(await stage.transcript()).toEqual(["user: Say hello"]);
    expect(await stage.editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1" });
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await stage.editor.ready("thread-1");
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({
      request_id: request,
      acp_thread_id: "thread-1",
    });
    await stage.editor.answer(request, "Hello", { index: 3 });
    expect(await stage.turns()).toEqual(["completed"]);
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect((await stage.thread()).latestTurn?.attempt).toBe(2);
  });

  test("three times fails the turn", async () => {
    const request = await stage.editor.beginThread();
    for (const again of [true, true, false]) {
      await stage.editor.failed(request, "Claude Agent process exited");
      if (!again) break;
      await stage.editor.takeOne("open_thread");
      await stage.editor.ready("thread-1");
      await stage.editor.takeOne("chat_message");
    }
    expect(await stage.turns()).toEqual(["failed AGENT_CRASHED"]);
    // The thread is made ready for whatever is said next; the turn is not repeated.
    await stage.editor.takeOne("open_thread");
    await stage.editor.ready("thread-1");
    expect(await stage.editor.take()).toEqual([]);
  });
});

describe("an editor that dies in the middle of a turn", () => {
  test("opens the thread after its restart and goes on with the same turn; reused entry numbers do no harm", async () => {
    const first = await stage.editor.beginThread();
    await stage.editor.answer(first, "Hello");
    await stage.send("More");
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request: second, index: 3, content: "I was sa" });
    await stage.editor.crash();
    expect(await stage.turns()).toEqual(["completed", "queued EDITOR_LOST"]);
    expect(await stage.thread()).toMatchObject({ mapping: { status: "disconnected" } });
    stage.world.pass(1_000);
    await stage.editor.start();
    expect(await stage.editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1" });
    // History that is replayed while the thread loads, labelled with whatever the editor holds.
    await stage.editor.entry({ request: first, index: 1, content: "Hello" });
    await stage.editor.entry({ request: second, index: 1, content: "Hello" });
    await stage.editor.entry({ request: "", index: 1, content: "Hello" });
    await stage.editor.ready("thread-1");
    await stage.editor.takeOne("chat_message");
    await stage.editor.answer(second, "Goodbye", { index: 1 });
    expect(await stage.transcript()).toEqual([
      "user: Say hello",
      "assistant: Hello",
      "user: More",
      "assistant: Goodbye",
    ]);
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });

  test("costs the turn no attempt if its bridge ended it on purpose", async () => {
    await stage.editor.beginThread();
    for (let restart = 0; restart < 5; restart++) {
      await stage.editor.endWithBridge();
      await stage.editor.start();
      await stage.editor.takeOne("open_thread");
      await stage.editor.ready("thread-1");
      await stage.editor.takeOne("chat_message");
    }
    expect((await stage.thread()).latestTurn).toMatchObject({ status: "sent", attempt: 1 });
  });

  test("too often fails instance and session, with its last lines", async () => {
    await stage.editor.beginThread();
    for (let exits = 1; exits <= stage.app.limits.restartsMax; exits++) {
      await stage.editor.crash("exit code 1");
      stage.world.pass(60_000);
      await stage.editor.launch();
    }
    await stage.editor.crash("exit code 1");
    expect(await stage.report()).toMatchObject({ outcome: "failed", reason: "EDITOR_FAILED" });
    expect((await stage.report())?.error).toContain("exit code 1");
    expect((await stage.report())?.error).toContain("bye");
  });
});

describe("a thread that cannot be loaded", () => {
  const missing = 'no thread found with ID: SessionId("thread-1")';

  test("because it does not exist is replaced once, and the same turn begins the new one", async () => {
    await stage.editor.answer(await stage.editor.beginThread(), "Hello");
    await stage.send("More");
    await stage.editor.crash();
    stage.world.pass(1_000);
    await stage.editor.start();
    const open = await stage.editor.takeOne("open_thread");
    await stage.editor.loadFailed("thread-1", open.request_id, missing);
    expect(await stage.thread()).toMatchObject({
      mapping: { status: "pending", statusReason: "CONTEXT_LOST", zedThreadId: null },
    });
    const chat = await stage.editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "More", acp_thread_id: null });
    await stage.editor.threadCreated(chat.request_id, "thread-2");
    await stage.editor.answer(chat.request_id, "Who are you?", { thread: "thread-2" });
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active", statusReason: "CONTEXT_LOST" } });
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });

  test("because the next one is missing as well fails the turn", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.loadFailed("thread-1", request, missing);
    await stage.editor.takeOne("chat_message");
    await stage.editor.threadCreated(request, "thread-1");
    await stage.editor.loadFailed("thread-1", request, missing);
    expect(await stage.turns()).toEqual(["failed THREAD_LOST"]);
  });

  test("for another reason keeps its name and is tried again after a pause, not for ever", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.failed(request, "agent exited");
    for (let tries = 1; tries < stage.app.limits.attemptsMax; tries++) {
      await stage.editor.takeOne("open_thread");
      await stage.editor.loadFailed("thread-1", stage.session.mappingId, "Failed to load thread: busy");
      expect(await stage.editor.take()).toEqual([]);
      stage.world.pass(60_000);
    }
    await stage.editor.takeOne("open_thread");
    await stage.editor.loadFailed("thread-1", stage.session.mappingId, "Failed to load thread: busy");
    expect(await stage.turns()).toEqual(["failed THREAD_NOT_LOADED"]);
    expect(await stage.thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
  });
});

describe("a link that drops", () => {
  test("changes no turn; the thread is opened again and the turn goes on", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await stage.editor.disconnect();
    expect(await stage.turns()).toEqual(["running"]);
    expect(await stage.thread()).toMatchObject({ mapping: { status: "disconnected" } });
    await stage.editor.connect({ ready: false });
    expect(await stage.editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1", request_id: request });
    await stage.editor.entry({ request, index: 1, content: "Hello" });
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active" } });
    await stage.editor.completed(request);
    expect(await stage.turns()).toEqual(["completed"]);
  });

  test("and what comes on it afterwards counts only for the turn that was sent on it", async () => {
    const request = await stage.editor.beginThread();
    const old = stage.editor.epoch;
    await stage.editor.connect({ ready: false });
    expect(await stage.editor.entry({ request, index: 1, content: "tail" }, old)).toBeNull();
    expect(await stage.thread()).toMatchObject({ mapping: { status: "disconnected" } });
    await stage.editor.entry({ request, index: 1, content: "tail and more" });
    await stage.editor.entry({ request, index: 1, content: "tail" }, old);
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: tail and more"]);
    await stage.editor.completed(request);
    await stage.send("More");
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    expect(await stage.editor.entry({ request: second, index: 3, content: "ghost" }, old)).toBe(
      "a newer link has taken over",
    );
  });

  test("with the name of a thread in its last words keeps the name", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    const old = stage.editor.epoch;
    await stage.editor.connect({ ready: false });
    expect(await stage.editor.threadCreated(request, "thread-1", old)).toBeNull();
    expect(await stage.thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
    await stage.editor.takeOne("open_thread");
  });
});

describe("two threads of one editor", () => {
  test("do not mix, and both come back after a restart", async () => {
    const taskId = (await stage.thread()).mapping.taskId;
    const first = await stage.editor.beginThread("thread-1");
    const other = await claimSession(stage.app, { taskId, firstPrompt: "Other" });
    const second = await stage.editor.beginThread("thread-2");
    await stage.editor.entry({ request: second, index: 1, content: "stray", thread: "thread-1" });
    await stage.editor.answer(second, "two", { thread: "thread-2" });
    await stage.editor.answer(first, "one");
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: one"]);
    expect(await transcriptOf(stage.app, other.workSessionId)).toEqual(["user: Other", "assistant: two"]);
    await stage.editor.crash();
    stage.world.pass(1_000);
    await stage.editor.start();
    const opened = (await stage.editor.take()).map(({ data }) => "acp_thread_id" in data && data.acp_thread_id);
    expect(opened).toEqual(["thread-1", "thread-2"]);
  });
});
