import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, threadOf, transcriptOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { listReports } from "./list-reports.ts";
import { sendMessage } from "./send-message.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;
const world = new SimulatedWorld();

const usage = {
  total_tokens: 7,
  input_tokens: 5,
  output_tokens: 2,
  thought_tokens: 0,
  cached_read_tokens: 0,
  cached_write_tokens: 0,
};

beforeAll(async () => {
  bridge = await openBridgeApp({ world, secrets: ["sk-very-secret"] });
});

afterAll(() => bridge.close());

beforeEach(async () => {
  await begin();
});

async function begin(options: Parameters<typeof claimSession>[1] = {}): Promise<void> {
  session = await claimSession(bridge.app, options);
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.start();
}

function transcript(): Promise<string[]> {
  return transcriptOf(bridge.app, session.workSessionId);
}

function turns(): Promise<string[]> {
  return turnsOf(bridge.app, session.workSessionId);
}

function thread() {
  return threadOf(bridge.app, session.workSessionId);
}

async function report() {
  const reports = await listReports(bridge.app, { runner });
  return reports.find(({ workSessionId }) => workSessionId === session.workSessionId);
}

function send(message: string, options: { interrupt?: boolean } = {}) {
  const { interrupt = false } = options;
  return sendMessage(bridge.app, ann, { workSessionId: session.workSessionId, message, interrupt, requestId: "" });
}

describe("a turn that goes well", () => {
  test("is sent, running, and completed, and leaves prompt and answer", async () => {
    const chat = await editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "Say hello", acp_thread_id: null, agent_name: "zed-agent" });
    const request = chat.request_id;
    expect(await turns()).toEqual(["sent"]);
    await editor.ready("thread-1");
    await editor.threadCreated(request, "thread-1");
    expect(await thread()).toMatchObject({ mapping: { status: "active", zedThreadId: "thread-1" } });
    await editor.entry({ request, index: 1, content: "Hel" });
    expect(await turns()).toEqual(["running"]);
    await editor.entry({ request, index: 1, content: "Hello" });
    await editor.completed(request, "thread-1", usage);
    expect(await turns()).toEqual(["completed"]);
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect((await thread()).latestTurn).toMatchObject({ usage, attempt: 1, number: 1 });
  });

  test("tells task-service that the session is active, and under the policy that it is complete", async () => {
    await begin({ onTurnEnd: "complete" });
    const request = await editor.beginThread();
    expect(await report()).toMatchObject({ outcome: "active", leaseEpoch: 1n });
    await editor.answer(request, "Done and dusted");
    expect(await report()).toMatchObject({ outcome: "completed", summary: "Done and dusted", error: "" });
    expect(await thread()).toMatchObject({ mapping: { status: "completed" } });
  });

  test("leaves an idle session open for the next message, which goes to the same thread", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    await send("And now?");
    const chat = await editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "And now?", acp_thread_id: "thread-1" });
    await editor.answer(chat.request_id, "Bye", { index: 3 });
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello", "user: And now?", "assistant: Bye"]);
  });

  test("keeps the usage unknown where the agent does not say", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    expect((await thread()).latestTurn?.usage).toBeNull();
  });
});

describe("entries", () => {
  test("are in the order of the thread, in whatever order they arrive", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 3, content: "c" });
    await editor.entry({ request, index: 1, content: "a" });
    await editor.entry({ request, index: 2, content: "b", tool: { name: "Edit", status: "Completed" } });
    expect(await transcript()).toEqual(["user: Say hello", "assistant: a", "assistant: b", "assistant: c"]);
  });

  test("may shrink, and may say the same again for nothing", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "a long text" });
    await editor.entry({ request, index: 1, content: "short" });
    const before = (await thread()).mapping.logSeq;
    await editor.entry({ request, index: 1, content: "short" });
    expect((await thread()).mapping.logSeq).toBe(before);
    expect(await transcript()).toEqual(["user: Say hello", "assistant: short"]);
  });

  test("of the user are not doubled", async () => {
    const request = await editor.beginThread();
    expect(await editor.entry({ request, index: 0, content: "Say hello", role: "user" })).not.toBeNull();
    expect(await transcript()).toEqual(["user: Say hello"]);
  });

  test("that are late go to the turn that they belong to, and move nothing", async () => {
    const first = await editor.beginThread();
    await editor.answer(first, "Hello");
    await send("More");
    await editor.takeOne("chat_message");
    await editor.entry({ request: first, index: 2, content: "PS" });
    expect(await turns()).toEqual(["completed", "sent"]);
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello", "assistant: PS", "user: More"]);
  });

  test("that an earlier turn has already are not repeated under the next one's id", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    await send("More");
    const { request_id: second } = await editor.takeOne("chat_message");
    await editor.entry({ request: second, index: 1, content: "Hello" });
    await editor.answer(second, "More of it", { index: 3 });
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello", "user: More", "assistant: More of it"]);
  });

  test.each([
    ["another thread", { thread: "thread-9" }],
    ["an unknown request", { request: "trn_0" }],
    ["no number", { index: Number.NaN }],
    ["a negative number", { index: -1 }],
  ])("of %s change nothing", async (_, difference) => {
    const request = await editor.beginThread();
    expect(await editor.entry({ request, index: 1, content: "x", ...difference })).not.toBeNull();
    expect(await turns()).toEqual(["sent"]);
    expect(await transcript()).toEqual(["user: Say hello"]);
  });

  test("without a request id belong to the turn that runs", async () => {
    await editor.beginThread();
    await editor.entry({ request: "", index: 1, content: "Hello" });
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
  });

  test("hold no secret that the bridge knows", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "the key is sk-very-secret, keep it" });
    expect(await transcript()).toContain("assistant: the key is [redacted], keep it");
  });
});

describe("tools", () => {
  test("that ask make the turn wait, and it runs again when none does any more", async () => {
    const request = await editor.beginThread();
    const asking = { name: "Edit", status: "Waiting for confirmation" };
    await editor.entry({ request, index: 1, content: "edit?", tool: asking });
    expect(await turns()).toEqual(["waiting"]);
    await editor.entry({ request, index: 2, content: "list", tool: { name: "List", status: "In Progress" } });
    expect(await turns()).toEqual(["waiting"]);
    await editor.entry({ request, index: 1, content: "edit", tool: { name: "Edit", status: "In Progress" } });
    expect(await turns()).toEqual(["running"]);
  });
});

describe("the end of a turn", () => {
  test("absorbs: completing twice, failing and cancelling afterwards change nothing", async () => {
    const request = await editor.beginThread();
    await editor.answer(request, "Hello");
    expect(await editor.completed(request, "thread-1", usage)).toBe("the turn has ended already");
    expect(await editor.failed(request, "too late")).toBe("the turn has ended already");
    expect(await editor.cancelled(request)).toBe("the turn has ended already");
    expect(await turns()).toEqual(["completed"]);
    expect((await thread()).latestTurn?.usage).toBeNull();
  });

  test("is not the end of another turn whose id is not on it", async () => {
    const first = await editor.beginThread();
    await editor.answer(first, "Hello");
    await send("More");
    await editor.takeOne("chat_message");
    await editor.completed(first);
    await editor.completed("");
    await editor.completed("trn_0");
    expect(await turns()).toEqual(["completed", "sent"]);
  });

  test("without a word is a failure", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: " \n" });
    await editor.completed(request);
    expect(await turns()).toEqual(["failed EMPTY_RESPONSE"]);
  });

  test("with an error of the agent is a failure in its words", async () => {
    const request = await editor.beginThread();
    await editor.failed(request, "max tokens reached with sk-very-secret");
    expect(await turns()).toEqual(["failed AGENT_ERROR"]);
    expect((await thread()).latestTurn?.error).toBe("max tokens reached with [redacted]");
    expect(await thread()).toMatchObject({ mapping: { status: "active" } });
  });

  test("because there is no such agent ends the session under either policy", async () => {
    const { request_id: request } = await editor.takeOne("chat_message");
    await editor.failed(request, 'agent "qwen" is not installed');
    expect(await turns()).toEqual(["failed AGENT_NOT_AVAILABLE"]);
    expect(await report()).toMatchObject({ outcome: "failed", reason: "AGENT_NOT_AVAILABLE" });
    expect(await thread()).toMatchObject({ mapping: { status: "failed" } });
  });
});

describe("an agent that dies in the middle of a turn", () => {
  test("is given the same turn again, after the thread was loaded, and nothing is said twice", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await editor.failed(request, "the agent process exited in mid-turn");
    expect(await turns()).toEqual(["queued AGENT_CRASHED"]);
    expect(await transcript()).toEqual(["user: Say hello"]);
    expect(await editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1" });
    await editor.entry({ request, index: 1, content: "Hel" });
    await editor.ready("thread-1");
    expect(await editor.takeOne("chat_message")).toMatchObject({ request_id: request, acp_thread_id: "thread-1" });
    await editor.answer(request, "Hello", { index: 3 });
    expect(await turns()).toEqual(["completed"]);
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect((await thread()).latestTurn?.attempt).toBe(2);
  });

  test("three times fails the turn", async () => {
    const request = await editor.beginThread();
    for (const again of [true, true, false]) {
      await editor.failed(request, "Claude Agent process exited");
      if (!again) break;
      await editor.takeOne("open_thread");
      await editor.ready("thread-1");
      await editor.takeOne("chat_message");
    }
    expect(await turns()).toEqual(["failed AGENT_CRASHED"]);
    // The thread is made ready for whatever is said next; the turn is not repeated.
    await editor.takeOne("open_thread");
    await editor.ready("thread-1");
    expect(await editor.take()).toEqual([]);
  });
});

describe("an editor that dies in the middle of a turn", () => {
  test("opens the thread after its restart and goes on with the same turn; reused entry numbers do no harm", async () => {
    const first = await editor.beginThread();
    await editor.answer(first, "Hello");
    await send("More");
    const { request_id: second } = await editor.takeOne("chat_message");
    await editor.entry({ request: second, index: 3, content: "I was sa" });
    await editor.crash();
    expect(await turns()).toEqual(["completed", "queued EDITOR_LOST"]);
    expect(await thread()).toMatchObject({ mapping: { status: "disconnected" } });
    world.pass(1_000);
    await editor.start();
    expect(await editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1" });
    // History that is replayed while the thread loads, labelled with whatever the editor holds.
    await editor.entry({ request: first, index: 1, content: "Hello" });
    await editor.entry({ request: second, index: 1, content: "Hello" });
    await editor.entry({ request: "", index: 1, content: "Hello" });
    await editor.ready("thread-1");
    await editor.takeOne("chat_message");
    await editor.answer(second, "Goodbye", { index: 1 });
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello", "user: More", "assistant: Goodbye"]);
    expect(await turns()).toEqual(["completed", "completed"]);
  });

  test("too often fails instance and session, with its last lines", async () => {
    await editor.beginThread();
    for (let exits = 1; exits <= bridge.app.limits.restartsMax; exits++) {
      await editor.crash("exit code 1");
      world.pass(60_000);
      await editor.launch();
    }
    await editor.crash("exit code 1");
    expect(await report()).toMatchObject({ outcome: "failed", reason: "EDITOR_FAILED" });
    expect((await report())?.error).toContain("exit code 1");
    expect((await report())?.error).toContain("bye");
  });
});

describe("a thread that cannot be loaded", () => {
  const missing = 'no thread found with ID: SessionId("thread-1")';

  test("because it does not exist is replaced once, and the same turn begins the new one", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    await send("More");
    await editor.crash();
    world.pass(1_000);
    await editor.start();
    const open = await editor.takeOne("open_thread");
    await editor.loadFailed("thread-1", open.request_id, missing);
    expect(await thread()).toMatchObject({
      mapping: { status: "pending", statusReason: "CONTEXT_LOST", zedThreadId: null },
    });
    const chat = await editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "More", acp_thread_id: null });
    await editor.threadCreated(chat.request_id, "thread-2");
    await editor.answer(chat.request_id, "Who are you?", { thread: "thread-2" });
    expect(await thread()).toMatchObject({ mapping: { status: "active", statusReason: "CONTEXT_LOST" } });
    expect(await turns()).toEqual(["completed", "completed"]);
  });

  test("because the next one is missing as well fails the turn", async () => {
    const request = await editor.beginThread();
    await editor.loadFailed("thread-1", request, missing);
    await editor.takeOne("chat_message");
    await editor.threadCreated(request, "thread-1");
    await editor.loadFailed("thread-1", request, missing);
    expect(await turns()).toEqual(["failed THREAD_LOST"]);
  });

  test("for another reason keeps its name and is tried again after a pause, not for ever", async () => {
    const request = await editor.beginThread();
    await editor.failed(request, "agent exited");
    for (let tries = 1; tries < bridge.app.limits.attemptsMax; tries++) {
      await editor.takeOne("open_thread");
      await editor.loadFailed("thread-1", session.mappingId, "Failed to load thread: busy");
      expect(await editor.take()).toEqual([]);
      world.pass(60_000);
    }
    await editor.takeOne("open_thread");
    await editor.loadFailed("thread-1", session.mappingId, "Failed to load thread: busy");
    expect(await turns()).toEqual(["failed THREAD_NOT_LOADED"]);
    expect(await thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
  });
});

describe("a link that drops", () => {
  test("changes no turn; the thread is opened again and the turn goes on", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await editor.disconnect();
    expect(await turns()).toEqual(["running"]);
    expect(await thread()).toMatchObject({ mapping: { status: "disconnected" } });
    await editor.connect({ ready: false });
    expect(await editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1", request_id: request });
    await editor.entry({ request, index: 1, content: "Hello" });
    expect(await thread()).toMatchObject({ mapping: { status: "active" } });
    await editor.completed(request);
    expect(await turns()).toEqual(["completed"]);
  });

  test("and what comes on it afterwards counts only for the turn that was sent on it", async () => {
    const request = await editor.beginThread();
    const old = editor.epoch;
    await editor.connect({ ready: false });
    expect(await editor.entry({ request, index: 1, content: "tail" }, old)).toBeNull();
    expect(await thread()).toMatchObject({ mapping: { status: "disconnected" } });
    await editor.entry({ request, index: 1, content: "tail and more" });
    await editor.entry({ request, index: 1, content: "tail" }, old);
    expect(await transcript()).toEqual(["user: Say hello", "assistant: tail and more"]);
    await editor.completed(request);
    await send("More");
    const { request_id: second } = await editor.takeOne("chat_message");
    expect(await editor.entry({ request: second, index: 3, content: "ghost" }, old)).toBe(
      "a newer link has taken over",
    );
  });

  test("with the name of a thread in its last words keeps the name", async () => {
    const { request_id: request } = await editor.takeOne("chat_message");
    const old = editor.epoch;
    await editor.connect({ ready: false });
    expect(await editor.threadCreated(request, "thread-1", old)).toBeNull();
    expect(await thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
    await editor.takeOne("open_thread");
  });
});

describe("the name of a thread", () => {
  test("that comes twice stays the first", async () => {
    const request = await editor.beginThread("thread-1");
    expect(await editor.threadCreated(request, "thread-2")).toBe("the thread has another name already");
    expect(await editor.threadCreated(request, "thread-1")).toBeNull();
    expect(await thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
  });

  test("for a request that nobody made is nobody's", async () => {
    expect(await editor.threadCreated("trn_0", "thread-7")).toBe("no turn has this request id");
    expect(await editor.entry({ request: "trn_0", index: 1, content: "x", thread: "thread-7" })).not.toBeNull();
  });

  test("that another session's thread has is refused", async () => {
    const taskId = (await thread()).mapping.taskId;
    await editor.beginThread("thread-1");
    const second = await claimSession(bridge.app, { taskId });
    expect(second.instanceId).toBe(session.instanceId);
    const { request_id: request } = await editor.takeOne("chat_message");
    expect(await editor.threadCreated(request, "thread-1")).toBe("the thread is another session's");
  });
});

describe("two threads of one editor", () => {
  test("do not mix, and both come back after a restart", async () => {
    const taskId = (await thread()).mapping.taskId;
    const first = await editor.beginThread("thread-1");
    const other = await claimSession(bridge.app, { taskId, firstPrompt: "Other" });
    const second = await editor.beginThread("thread-2");
    await editor.entry({ request: second, index: 1, content: "stray", thread: "thread-1" });
    await editor.answer(second, "two", { thread: "thread-2" });
    await editor.answer(first, "one");
    expect(await transcript()).toEqual(["user: Say hello", "assistant: one"]);
    expect(await transcriptOf(bridge.app, other.workSessionId)).toEqual(["user: Other", "assistant: two"]);
    await editor.crash();
    world.pass(1_000);
    await editor.start();
    const opened = (await editor.take()).map(({ data }) => "acp_thread_id" in data && data.acp_thread_id);
    expect(opened).toEqual(["thread-1", "thread-2"]);
  });
});

describe("stopping a turn", () => {
  test("waits for its first sign, then for the editor's answer", async () => {
    const request = await editor.beginThread();
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: "" });
    expect(await editor.take()).toEqual([]);
    await editor.entry({ request, index: 1, content: "Hel" });
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    expect(await editor.take()).toEqual([]);
    await editor.cancelled(request);
    expect(await turns()).toEqual(["interrupted CANCELLED"]);
    await editor.completed(request);
    expect(await turns()).toEqual(["interrupted CANCELLED"]);
  });

  test("that the editor had not begun is asked for again when it does", async () => {
    const request = await editor.beginThread();
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: request });
    world.pass(bridge.app.limits.cancelDelayMs);
    await editor.takeOne("cancel_current_turn");
    await editor.cancelled(request, "noop");
    expect(await editor.take()).toEqual([]);
    await editor.entry({ request, index: 1, content: "Hel" });
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
  });

  test("that waits in the queue takes it back at once", async () => {
    await editor.beginThread();
    const queued = await send("More");
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: queued.id });
    expect(await turns()).toEqual(["sent", "interrupted CANCELLED"]);
  });

  test("by another message lets that one go first", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await send("Later");
    await send("Stop! Do this", { interrupt: true });
    await editor.takeOne("cancel_current_turn");
    await editor.cancelled(request);
    expect(await editor.takeOne("chat_message")).toMatchObject({ message: "Stop! Do this" });
    expect(await turns()).toEqual(["interrupted INTERRUPTED_BY_MESSAGE", "queued", "sent"]);
  });

  test("under the policy leaves the decision to the turn that interrupted", async () => {
    await begin({ onTurnEnd: "complete" });
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await send("Do this", { interrupt: true });
    await editor.takeOne("cancel_current_turn");
    await editor.cancelled(request);
    expect(await thread()).toMatchObject({ mapping: { status: "active" } });
    const chat = await editor.takeOne("chat_message");
    await editor.answer(chat.request_id, "Done", { index: 3 });
    expect(await report()).toMatchObject({ outcome: "completed", summary: "Done" });
  });

  test("under the policy cancels a session in which nothing else waits", async () => {
    await begin({ onTurnEnd: "complete" });
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: "" });
    await editor.takeOne("cancel_current_turn");
    await editor.cancelled(request);
    expect(await report()).toMatchObject({ outcome: "cancelled" });
  });
});
