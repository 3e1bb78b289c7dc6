import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { claimSession } from "../testing/bridge-app.ts";
import { Stage } from "../testing/stage.ts";

const stage = new Stage();

const usage = {
  total_tokens: 7,
  input_tokens: 5,
  output_tokens: 2,
  thought_tokens: 0,
  cached_read_tokens: 0,
  cached_write_tokens: 0,
};

beforeAll(() => stage.open({ secrets: ["sk-very-secret"] }));

afterAll(() => stage.close());

beforeEach(() => stage.begin());

describe("a turn that goes well", () => {
  test("is sent, running, and completed, and leaves prompt and answer", async () => {
    const chat = await stage.editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "Say hello", acp_thread_id: null, agent_name: "zed-agent" });
    const request = chat.request_id;
    expect(await stage.turns()).toEqual(["sent"]);
    await stage.editor.ready("thread-1");
    await stage.editor.threadCreated(request, "thread-1");
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active", zedThreadId: "thread-1" } });
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    expect(await stage.turns()).toEqual(["running"]);
    await stage.editor.entry({ request, index: 1, content: "Hello" });
    await stage.editor.completed(request, "thread-1", usage);
    expect(await stage.turns()).toEqual(["completed"]);
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect((await stage.thread()).latestTurn).toMatchObject({ usage, attempt: 1, number: 1 });
  });

  test("tells task-service that the session is active, and under the policy that it is complete", async () => {
    await stage.begin({ onTurnEnd: "complete" });
    const request = await stage.editor.beginThread();
    expect(await stage.report()).toMatchObject({ outcome: "active", leaseEpoch: 1n });
    await stage.editor.answer(request, "Done and dusted");
    expect(await stage.report()).toMatchObject({ outcome: "completed", summary: "Done and dusted", error: "" });
    expect(await stage.thread()).toMatchObject({ mapping: { status: "completed" } });
  });

  test("leaves an idle session open for the next message, which goes to the same thread", async () => {
    await stage.editor.answer(await stage.editor.beginThread(), "Hello");
    await stage.send("And now?");
    const chat = await stage.editor.takeOne("chat_message");
    expect(chat).toMatchObject({ message: "And now?", acp_thread_id: "thread-1" });
    await stage.editor.answer(chat.request_id, "Bye", { index: 3 });
    expect(await stage.transcript()).toEqual([
      "user: Say hello",
      "assistant: Hello",
      "user: And now?",
      "assistant: Bye",
    ]);
  });

  test("keeps the usage unknown where the agent does not say", async () => {
    await stage.editor.answer(await stage.editor.beginThread(), "Hello");
    expect((await stage.thread()).latestTurn?.usage).toBeNull();
  });
});

describe("entries", () => {
  test("are in the order of the thread, in whatever order they arrive", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 3, content: "c" });
    await stage.editor.entry({ request, index: 1, content: "a" });
    await stage.editor.entry({ request, index: 2, content: "b", tool: { name: "Edit", status: "Completed" } });
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: a", "assistant: b", "assistant: c"]);
  });

  test("may shrink, and may say the same again for nothing", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "a long text" });
    await stage.editor.entry({ request, index: 1, content: "short" });
    const before = (await stage.thread()).mapping.logSeq;
    await stage.editor.entry({ request, index: 1, content: "short" });
    expect((await stage.thread()).mapping.logSeq).toBe(before);
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: short"]);
  });

  test("of the user are not doubled", async () => {
    const request = await stage.editor.beginThread();
    expect(await stage.editor.entry({ request, index: 0, content: "Say hello", role: "user" })).not.toBeNull();
    expect(await stage.transcript()).toEqual(["user: Say hello"]);
  });

  test("that are late go to the turn that they belong to, and move nothing", async () => {
    const first = await stage.editor.beginThread();
    await stage.editor.answer(first, "Hello");
    await stage.send("More");
    await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request: first, index: 2, content: "PS" });
    expect(await stage.turns()).toEqual(["completed", "sent"]);
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello", "assistant: PS", "user: More"]);
  });

  test("that an earlier turn has already are not repeated under the next one's id", async () => {
    await stage.editor.answer(await stage.editor.beginThread(), "Hello");
    await stage.send("More");
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request: second, index: 1, content: "Hello" });
    await stage.editor.answer(second, "More of it", { index: 3 });
    expect(await stage.transcript()).toEqual([
      "user: Say hello",
      "assistant: Hello",
      "user: More",
      "assistant: More of it",
    ]);
  });

  test.each([
    ["another thread", { thread: "thread-9" }],
    ["an unknown request", { request: "trn_0" }],
    ["no number", { index: Number.NaN }],
    ["a negative number", { index: -1 }],
  ])("of %s change nothing", async (_, difference) => {
    const request = await stage.editor.beginThread();
    expect(await stage.editor.entry({ request, index: 1, content: "x", ...difference })).not.toBeNull();
    expect(await stage.turns()).toEqual(["sent"]);
    expect(await stage.transcript()).toEqual(["user: Say hello"]);
  });

  test("without a request id belong to the turn that runs", async () => {
    await stage.editor.beginThread();
    await stage.editor.entry({ request: "", index: 1, content: "Hello" });
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
  });

  test("hold any text as it is", async () => {
    const request = await stage.editor.beginThread();
    const content = "why? 'quoted' \\ $1 ?? :name {} %s \u{1F600} \n";
    await stage.editor.entry({ request, index: 1, content });
    expect(await stage.transcript()).toContain(`assistant: ${content}`);
  });

  test("hold no secret that the bridge knows", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "the key is sk-very-secret, keep it" });
    expect(await stage.transcript()).toContain("assistant: the key is [redacted], keep it");
  });
});

describe("tools", () => {
  test("that ask make the turn wait, and it runs again when none does any more", async () => {
    const request = await stage.editor.beginThread();
    const asking = { name: "Edit", status: "Waiting for confirmation" };
    await stage.editor.entry({ request, index: 1, content: "edit?", tool: asking });
    expect(await stage.turns()).toEqual(["waiting"]);
    await stage.editor.entry({ request, index: 2, content: "list", tool: { name: "List", status: "In Progress" } });
    expect(await stage.turns()).toEqual(["waiting"]);
    await stage.editor.entry({ request, index: 1, content: "edit", tool: { name: "Edit", status: "In Progress" } });
    expect(await stage.turns()).toEqual(["running"]);
  });
});

describe("the end of a turn", () => {
  test("absorbs: completing twice, failing and cancelling afterwards change nothing", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.answer(request, "Hello");
    expect(await stage.editor.completed(request, "thread-1", usage)).toBe("the turn has ended already");
    expect(await stage.editor.failed(request, "too late")).toBe("the turn has ended already");
    expect(await stage.editor.cancelled(request)).toBe("the turn has ended already");
    expect(await stage.turns()).toEqual(["completed"]);
    expect((await stage.thread()).latestTurn?.usage).toBeNull();
  });

  test("is not the end of another turn whose id is not on it", async () => {
    const first = await stage.editor.beginThread();
    await stage.editor.answer(first, "Hello");
    await stage.send("More");
    await stage.editor.takeOne("chat_message");
    await stage.editor.completed(first);
    await stage.editor.completed("");
    await stage.editor.completed("trn_0");
    expect(await stage.turns()).toEqual(["completed", "sent"]);
  });

  test("without a word is a failure", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: " \n" });
    await stage.editor.completed(request);
    expect(await stage.turns()).toEqual(["failed EMPTY_RESPONSE"]);
  });

  test("with an error of the agent is a failure in its words", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.failed(request, "max tokens reached with sk-very-secret");
    expect(await stage.turns()).toEqual(["failed AGENT_ERROR"]);
    expect((await stage.thread()).latestTurn?.error).toBe("max tokens reached with [redacted]");
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active" } });
  });

  test("because there is no such agent ends the session under either policy", async () => {
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    await stage.editor.failed(request, 'agent "qwen" is not installed');
    expect(await stage.turns()).toEqual(["failed AGENT_NOT_AVAILABLE"]);
    expect(await stage.report()).toMatchObject({ outcome: "failed", reason: "AGENT_NOT_AVAILABLE" });
    expect(await stage.thread()).toMatchObject({ mapping: { status: "failed" } });
  });
});

describe("the name of a thread", () => {
  test("that comes twice stays the first", async () => {
    const request = await stage.editor.beginThread("thread-1");
    expect(await stage.editor.threadCreated(request, "thread-2")).toBe("the thread has another name already");
    expect(await stage.editor.threadCreated(request, "thread-1")).toBeNull();
    expect(await stage.thread()).toMatchObject({ mapping: { zedThreadId: "thread-1" } });
  });

  test("for a request that nobody made is nobody's", async () => {
    expect(await stage.editor.threadCreated("trn_0", "thread-7")).toBe("no turn has this request id");
    expect(await stage.editor.entry({ request: "trn_0", index: 1, content: "x", thread: "thread-7" })).not.toBeNull();
  });

  test("that another session's thread has is refused", async () => {
    const taskId = (await stage.thread()).mapping.taskId;
    await stage.editor.beginThread("thread-1");
    const second = await claimSession(stage.app, { taskId });
    expect(second.instanceId).toBe(stage.session.instanceId);
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    expect(await stage.editor.threadCreated(request, "thread-1")).toBe("the thread is another session's");
  });
});
