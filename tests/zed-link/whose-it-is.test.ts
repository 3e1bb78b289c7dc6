// What failed in production, and does not here: whose an event is. The numbers are those of the table that
// table.test.ts keeps complete.
import { type AgentPlan, begin, hold, plans, rewrite, say, stop } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { anyOf, createsTwice, delays, first, misplaces } from "@helix-zed/harness/fake-zed/event-faults.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { expect, test } from "vitest";
import { claimSession } from "../../services/zed-bridge/src/testing/bridge-app.ts";
import { stageForTests } from "./kit/link-stage.ts";
import { mappingCount } from "./kit/facts.ts";

const stage = stageForTests();

/** Goes on after its end. */
const late = (name: string): AgentPlan => [
  say("one"),
  begin(`${name}: running`),
  stop,
  hold(name),
  rewrite(1, `${name}: done`),
];

test("1. a request that has ended never becomes live again", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("second"), hold("end")] }) });
  const [ended, acp_thread_id] = [await desk.request(1), await desk.threadId()];
  await desk.say("More");
  for (const event of [
    eventOf("thread_created", { acp_thread_id, request_id: ended }),
    eventOf("message_added", { acp_thread_id, request_id: ended, message_id: "1", content: "re: Say hello" }),
    eventOf("message_completed", { acp_thread_id, request_id: ended }),
    eventOf("turn_cancelled", { request_id: ended, status: "cancelled" }),
    eventOf("chat_response_error", { request_id: ended, error: "no" }),
  ]) {
    desk.zed.say(event);
  }
  await stage.settle();
  expect(await desk.turns()).toEqual(["completed", "running"]);
  await desk.release("end");
  expect(await desk.turns()).toEqual(["completed", "completed"]);
  expect((await desk.transcript()).slice(2)).toEqual(["user: More", "assistant: second"]);
});

test("3. a second thread for the same request makes nothing new, and the first stays the session's", async () => {
  const before = await mappingCount(stage);
  const desk = await stage.begin({ faults: [createsTwice("thread-ghost")] });
  expect(await desk.threadId()).toBe("thread-1");
  desk.zed.say(eventOf("message_added", { acp_thread_id: "thread-ghost", content: "boo" }));
  await desk.say("More");
  expect(desk.zed.heardOf("chat_message").map(({ data }) => data.acp_thread_id)).toEqual([null, "thread-1"]);
  expect(await desk.transcript()).not.toContain("assistant: boo");
  expect(await mappingCount(stage)).toBe(before + 1);
});

test("5. replies go by thread and request, not to whoever asked last", async () => {
  const script = plans({ One: [say("o"), hold("one"), say("ne")], Two: [say("t"), hold("two"), say("wo")] });
  const one = await stage.begin({ script, firstPrompt: "One" });
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  await one.release("one");
  await two.release("two");
  expect(await one.transcript()).toEqual(["user: One", "assistant: one"]);
  expect(await two.transcript()).toEqual(["user: Two", "assistant: two"]);
});

test("6. completions out of order end their own turns, whatever their place", async () => {
  const desk = await stage.begin({
    script: plans({ One: [say("one"), hold("never")], Two: [say("two"), hold("two")] }),
    faults: [delays(first(1, anyOf("message_completed")), 60_000)],
    firstPrompt: "One",
  });
  await desk.say("Two", { interrupt: true });
  await desk.say("Three");
  expect(await desk.turns()).toEqual(["interrupted INTERRUPTED_BY_MESSAGE", "running", "queued"]);
  await stage.pass(60_000);
  expect(await desk.turns()).toEqual(["interrupted INTERRUPTED_BY_MESSAGE", "running", "queued"]);
  await desk.release("two");
  expect((await desk.turns()).slice(1)).toEqual(["completed", "completed"]);
  expect((await desk.transcript()).slice(2)).toEqual([
    "user: Two",
    "assistant: two",
    "user: Three",
    "assistant: re: Three",
  ]);
});

test("7. entry numbers that are used again after a restart overwrite nothing and swallow nothing", async () => {
  const desk = await stage.begin();
  await desk.crash();
  // The agent has thrown its history away: numbers begin anew.
  for (const thread of desk.data.threads.values()) thread.entries = [];
  await desk.launch();
  await desk.say("More");
  const said = desk.zed.meant.flatMap((event) => (event.event_type === "message_added" ? [event.data.message_id] : []));
  expect(new Set(said)).toEqual(new Set(["1"]));
  expect(await desk.transcript()).toEqual([
    "user: Say hello",
    "assistant: re: Say hello",
    "user: More",
    "assistant: re: More",
  ]);
});

test("8. what was said in an earlier turn does not appear in a later one when it is said again", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("second"), hold("end")] }) });
  await desk.say("More");
  const [request_id, acp_thread_id] = [await desk.request(2), await desk.threadId()];
  desk.zed.say(eventOf("message_added", { acp_thread_id, request_id, message_id: "1", content: "re: Say hello" }));
  await stage.settle();
  await desk.release("end");
  await desk.crash();
  await desk.launch();
  await desk.say("Again");
  expect(await desk.transcript()).toEqual([
    "user: Say hello",
    "assistant: re: Say hello",
    "user: More",
    "assistant: second",
    "user: Again",
    "assistant: re: Again",
  ]);
  // The agent's process is replaced: the thread is loaded for the next prompt, and its history told under that one's id.
  desk.zed.replaceAgent();
  await desk.say("Once more");
  expect(desk.zed.meant.filter(({ event_type }) => event_type === "message_added").length).toBeGreaterThan(5);
  expect((await desk.transcript()).slice(6)).toEqual(["user: Once more", "assistant: re: Once more"]);
});

test("9. only an entry with the number and the words of an earlier one is taken for it", async () => {
  const script = plans({ "Same words": [say("re: Say hello")], "Same number": [hold("own"), say("other")] });
  const desk = await stage.begin({ script });
  await desk.say("Same words");
  await desk.say("Same number");
  const [request_id, acp_thread_id] = [await desk.request(3), await desk.threadId()];
  desk.zed.say(eventOf("message_added", { acp_thread_id, request_id, message_id: "1", content: "same number" }));
  await desk.release("own");
  expect((await desk.transcript()).filter((line) => line.startsWith("assistant"))).toEqual([
    "assistant: re: Say hello",
    "assistant: re: Say hello",
    "assistant: same number",
    "assistant: other",
  ]);
});

test("35. output that comes after the end of its turn goes to that turn, and moves nothing", async () => {
  const script = plans({
    Build: late("build"),
    Test: late("test"),
    Two: [say("two"), hold("two")],
    Three: [hold("three")],
  });
  const desk = await stage.begin({ script, firstPrompt: "Build" });
  await desk.say("Two");
  expect(await desk.turns()).toEqual(["completed", "running"]);
  await desk.release("build");
  await stage.pass(1_000);
  expect(await desk.turns()).toEqual(["completed", "running"]);
  await desk.release("two");
  // The next agent has not said a word yet: the editor has nothing but older ids for what is late.
  await desk.say("Test");
  await desk.say("Three");
  await desk.release("test");
  await stage.pass(1_000);
  expect((await desk.turns()).slice(2)).toEqual(["completed", "sent"]);
  expect(await desk.transcript()).toEqual([
    "user: Build",
    "assistant: one",
    "assistant: build: done",
    "user: Two",
    "assistant: two",
    "user: Test",
    "assistant: one",
    "assistant: test: done",
    "user: Three",
  ]);
});

test("48. what is said twice appears once, and an entry without a number not at all", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), say("lo"), hold("end")] }) });
  const [request_id, acp_thread_id] = [await desk.request(1), await desk.threadId()];
  for (const message_id of ["summary-1", "-1", "1.5", "9999999999"]) {
    desk.zed.say(eventOf("message_added", { acp_thread_id, request_id, message_id, content: "Hello" }));
  }
  await desk.release("end");
  expect(await desk.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
});

test("55. every turn is queued in one way and seen from its first moment, whoever made it", async () => {
  const desk = await stage.begin({ ready: false });
  await desk.say("Second");
  await desk.say("Third", { interrupt: true });
  const { queuedTurnCount, mapping } = await desk.thread();
  expect([queuedTurnCount, mapping.turnCount]).toEqual([3, 3]);
  const rows = await desk.turnRows();
  expect(rows.map(({ number, message, status, attempt }) => [number, message, status, attempt])).toEqual([
    [1, "Say hello", "queued", 0],
    [2, "Second", "queued", 0],
    [3, "Third", "queued", 0],
  ]);
});

test("58. a request is on record before its frame is on the wire", async () => {
  const seen: Promise<string[]>[] = [];
  const desk = await stage.begin({
    ready: false,
    script: ({ message }) => {
      seen.push(desk.turns());
      return [say(`re: ${message}`)];
    },
  });
  await stage.pass(5_000);
  expect(await seen[0]).toEqual([expect.stringMatching(/^(?:sent|running|completed)$/)]);
  expect(desk.data.records[0]?.requestId).toBe(await desk.request(1));
});

test("61. a completion ends the turn of its own request, and no other of the thread or the session", async () => {
  const script = plans({ One: [say("one"), hold("one")], Two: [say("two"), hold("two")] });
  const one = await stage.begin({ script, firstPrompt: "One" });
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  one.zed.faults.push(misplaces(anyOf("message_completed"), await one.threadId()));
  await two.release("two");
  expect(await one.turns()).toEqual(["running"]);
  await one.release("one");
  expect(await one.turns()).toEqual(["completed"]);
});

test("62. a follow-up stays in its thread, whatever thread is named in answer to it", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("more"), hold("end")] }) });
  await desk.say("More");
  const request_id = await desk.request(2);
  desk.zed.say(eventOf("thread_created", { acp_thread_id: "thread-new", request_id }));
  desk.zed.say(eventOf("message_added", { acp_thread_id: "thread-new", request_id, content: "elsewhere" }));
  await desk.release("end");
  expect(await desk.threadId()).toBe("thread-1");
  expect(await desk.transcript()).not.toContain("assistant: elsewhere");
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("68. a session that is claimed again and again, in whatever folder, has one thread and one editor", async () => {
  const { app, runner } = stage;
  const before = await mappingCount(stage);
  const session = await claimSession(app, { runner });
  const again = await Promise.all(
    ["/", "/tmp", "/", "/usr"].map((projectPath) =>
      claimSession(app, { runner, projectPath, workSessionId: session.workSessionId }),
    ),
  );
  expect(again).toEqual([session, session, session, session]);
  expect(await mappingCount(stage)).toBe(before + 1);
});

test("74. a turn has one request id for its life, however often it is handed over", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [hold("never")] }) });
  await desk.crash();
  await desk.launch();
  await desk.crash();
  await desk.launch();
  const ids = desk.data.records.map(({ requestId }) => requestId);
  expect(ids).toEqual(Array.from({ length: 3 }, () => ids[0]));
  expect(ids[0]).toBe(await desk.request(1));
});

test("75. after a reconnect every session of a shared editor goes on, not only the first", async () => {
  const one = await stage.begin({ firstPrompt: "One" });
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  const three = await stage.begin({ beside: one, firstPrompt: "Three" });
  await one.drop();
  await stage.pass(1_000);
  for (const desk of [three, two, one]) {
    await desk.say("More");
    expect(await desk.turns()).toEqual(["completed", "completed"]);
  }
  const opened = one.zed.heardOf("open_thread").map(({ data }) => data.acp_thread_id);
  expect(opened.toSorted()).toEqual(["thread-1", "thread-2", "thread-3"]);
});

test("76. an old thread is known after a restart of the bridge, however many have come since", async () => {
  const old = await stage.begin({ script: plans({ Slow: [say("slow"), hold("end")] }) });
  const { taskId } = (await old.thread()).mapping;
  for (let more = 0; more < 110; more++) {
    await claimSession(stage.app, { taskId, runner: stage.runner, firstPrompt: "" });
  }
  await old.say("Slow");
  const port = await stage.killBridge();
  await old.release("end");
  await stage.startBridge(port);
  await stage.pass(10_000);
  expect(await old.turns()).toEqual(["completed", "completed"]);
  expect((await old.transcript()).at(-1)).toBe("assistant: slow");
});
