import { afterEach, describe, expect, test } from "vitest";
import { endHosts, HostUnderTest, restart, statuses } from "./testing/host-under-test.ts";

afterEach(endHosts);

describe("a turn", () => {
  test("shows thoughts, and the terminal in which a command ran", async () => {
    const desk = new HostUnderTest();
    desk.say("think aloud", "R1");
    expect(await desk.ending("R1")).toMatchObject({ data: { agent_name: "scripted-agent", usage: null } });
    expect(desk.entries("R1")).toEqual([
      "<thinking>\nhm\n</thinking>\n\nso",
      "**Tool Call: ls**\nStatus: Completed\n\nTerminal:\n```\na.md\n\n```\n\n\n",
    ]);
  });

  test.each([
    ["run out of tokens", "the model reached its token limit"],
    ["run out of requests", "the agent reached its limit of model requests for one turn"],
    ["refuse", "the agent refused to go on"],
  ])("that ends because agents %s has failed", async (prompt, reason) => {
    const desk = new HostUnderTest();
    desk.say(prompt, "R1");
    const error = `agent "scripted" stopped: ${reason}`;
    expect(await desk.ending("R1")).toEqual({ event_type: "chat_response_error", data: { request_id: "R1", error } });
  });

  test("that is cancelled ends at once, and what the agent says late belongs to it", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    desk.say("wait for cancel", "R1", { acp_thread_id: thread });
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "R1" });
    const ends = desk.events.slice(-3).map((event) => event.event_type);
    expect(ends).toEqual(["turn_cancelled", "message_added", "message_completed"]);
    desk.say("next", "R2", { acp_thread_id: thread });
    await desk.ending("R2");
    expect(desk.entries("R1")).toEqual(["working, late"]);
    expect(desk.entries("R2")).toEqual(["heard next"]);
    expect(desk.events.filter(({ data }) => data["request_id"] === "R1" && data["message_id"] === "0")).toHaveLength(1);
  });
});

describe("an agent that does not stop when cancelled", () => {
  test("is killed after 10 s, and its thread goes on with a new one", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    desk.say("ignore cancel", "R1", { acp_thread_id: thread });
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "R1" });
    desk.say("next", "R2", { acp_thread_id: thread });
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    desk.world.advance(10_000);
    await desk.ending("R2");
    expect(desk.entries("R2")).toEqual(["heard next"]);
    const loaded = desk.events.filter(
      ({ event_type: type, data }) => type === "agent_ready" && data["thread_id"] === thread,
    );
    expect(loaded).toHaveLength(2);
  });
});

describe("a request for permission", () => {
  test("is answered with `allow once` by default", async () => {
    const desk = new HostUnderTest();
    desk.say("ask first", "R1");
    await desk.ending("R1");
    expect(desk.entries("R1").at(-1)).toBe("once");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "In Progress"]);
  });

  test("waits where the policy says so, and is rejected after its time", async () => {
    const desk = new HostUnderTest({ auto_approve: false });
    desk.say("ask first", "R1");
    await desk.saying("R1");
    desk.world.advance(60_000);
    await desk.ending("R1");
    expect(desk.entries("R1").at(-1)).toBe("no");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "Rejected"]);
  });

  test("that waits ends with its turn", async () => {
    const desk = new HostUnderTest({ auto_approve: false });
    desk.say("ask first", "R1");
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "R1" });
    await desk.waitFor(({ data }) => data["content"] === "cancelled");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "Canceled"]);
  });
});

describe("an agent that fails", () => {
  test("at its start says why, without the secrets it was given", async () => {
    const desk = new HostUnderTest({}, "dies");
    desk.say("hello", "R1");
    const { data } = await desk.ending("R1");
    expect(data["error"]).toBe(
      'agent "scripted" exited with code 3 and did not start; it last said: cannot go on with key [redacted]',
    );
    desk.say("hello", "R2");
    expect((await desk.ending("R2")).data["error"]).toBe(data["error"]);
  });

  test("to open a session is reported", async () => {
    const desk = new HostUnderTest({}, "no-session");
    desk.say("hello", "R1");
    const error = 'agent "scripted" cannot open a session: Authentication required';
    expect(await desk.ending("R1")).toMatchObject({ event_type: "chat_response_error", data: { error } });
  });

  test("to enter its mode is reported", async () => {
    const planning = new HostUnderTest({ default_mode: "plan" });
    planning.say("hello", "R1");
    expect(await planning.ending("R1")).toMatchObject({ event_type: "message_completed" });
    const desk = new HostUnderTest({ default_mode: "party" });
    desk.say("hello", "R1");
    expect((await desk.ending("R1")).data["error"]).toBe(
      'agent "scripted" cannot be put into mode "party": no mode party',
    );
  });

  test("in mid-turn fails that turn, and starts again with the next message", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    desk.say("die", "R1", { acp_thread_id: thread });
    const error = 'agent "scripted" exited with code 7 in mid-turn';
    expect(await desk.ending("R1")).toMatchObject({ event_type: "chat_response_error", data: { error } });
    desk.say("next", "R2", { acp_thread_id: thread });
    expect(await desk.ending("R2")).toMatchObject({ event_type: "message_completed" });
  });
});

describe("a thread of an earlier host", () => {
  test("is opened, and its history is not sent again", async () => {
    const { desk, thread } = await restart({}, "");
    desk.host.onLink("up");
    desk.command("open_thread", { acp_thread_id: thread, request_id: "O1" });
    await desk.waitFor(({ data }) => data["thread_id"] === thread);
    desk.command("open_thread", { acp_thread_id: thread });
    await desk.waitFor((event) => desk.events.indexOf(event) === 1);
    desk.world.advance(5_000);
    expect(desk.events.map((event) => event.event_type)).toEqual(["agent_ready", "agent_ready"]);
  });

  test.each([
    ["denies", (id: string) => `no thread found with ID: SessionId("${id}")`],
    ["forgets", (id: string) => `agent "scripted" has lost the history: no thread found with ID: SessionId("${id}")`],
    ["no-load", () => 'agent "scripted" cannot load sessions'],
    ["dies", () => expect.stringContaining("exited with code 3")],
  ])("whose agent %s it is not opened, and says why", async (failure, reason) => {
    const { desk, thread } = await restart({}, failure);
    const expected = reason(thread);
    const error = typeof expected === "string" ? `Failed to load thread: ${expected}` : expected;
    desk.command("open_thread", { acp_thread_id: thread, request_id: "O1" });
    expect(await desk.ending("O1")).toEqual({
      event_type: "thread_load_error",
      data: { acp_thread_id: thread, request_id: "O1", error },
    });
  });

  test("of gemini is not loaded in the minute in which it was created", async () => {
    const { desk, thread } = await restart({ load_in_later_minute: true }, "");
    desk.command("open_thread", { acp_thread_id: thread, request_id: "O1" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(desk.events).toEqual([]);
    desk.world.advance(60_000);
    expect(await desk.waitFor(() => true)).toMatchObject({ event_type: "agent_ready" });
  });
});

describe("readiness", () => {
  test("is told at once by a host without threads, and 5 s after each connect", () => {
    const desk = new HostUnderTest();
    desk.host.onLink("up");
    expect(desk.events.map(({ data }) => data["agent_name"])).toEqual(["zed-agent"]);
    desk.world.advance(5_000);
    desk.host.onLink("down");
    desk.host.onLink("up");
    desk.world.advance(4_999);
    expect(desk.events.map(({ data }) => data["agent_name"])).toEqual(["zed-agent", "zed-connection"]);
    desk.world.advance(1);
    expect(desk.events).toHaveLength(3);
  });

  test("is not told by the timer when an open_thread has come, even if that fails", async () => {
    const desk = new HostUnderTest();
    desk.host.onLink("up");
    desk.command("open_thread", { acp_thread_id: "none", request_id: "O1" });
    await desk.ending("O1");
    desk.world.advance(10_000);
    expect(desk.events.map((event) => event.event_type)).toEqual(["agent_ready", "thread_load_error"]);
  });

  test("is not told after the link went down", () => {
    const desk = new HostUnderTest();
    desk.host.onLink("up");
    desk.host.onLink("down");
    desk.world.advance(10_000);
    expect(desk.events).toHaveLength(1);
  });
});

describe("one agent process", () => {
  test("holds all threads, also when several are created at once", async () => {
    const desk = new HostUnderTest();
    for (const request of ["R1", "R2", "R3"]) desk.say("hello", request);
    await Promise.all(["R1", "R2", "R3"].map((request) => desk.ending(request)));
    const ids = desk.events.flatMap(({ event_type: type, data }) =>
      type === "thread_created" ? [String(data["acp_thread_id"])] : [],
    );
    expect(new Set(ids.map((id) => id.split("-")[1]))).toHaveProperty("size", 1);
    expect(new Set(ids)).toHaveProperty("size", 3);
  });
});

describe("the queue", () => {
  test("holds back whatever comes in a thread after a follow-up until its turn has ended, but no cancel", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    desk.say("wait for cancel", "R1", { acp_thread_id: thread });
    desk.say("hello", "R2", { acp_thread_id: thread });
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "R2" });
    expect(desk.events.at(-1)?.data).toEqual({ request_id: "R2", status: "noop" });
    expect(desk.events.filter((event) => event.data["request_id"] === "R2")).toHaveLength(1);
    desk.command("cancel_current_turn", { request_id: "R1" });
    expect(await desk.ending("R2")).toMatchObject({ event_type: "message_completed" });
  });

  test("does not hold back other threads while a follow-up runs", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    const other = await desk.thread("create other");
    desk.say("wait for cancel", "R1", { acp_thread_id: thread });
    await desk.saying("R1");
    desk.say("hello", "R2");
    desk.say("hello", "R3", { acp_thread_id: other });
    expect(await desk.ending("R2")).toMatchObject({ event_type: "message_completed" });
    expect(await desk.ending("R3")).toMatchObject({ event_type: "message_completed" });
    desk.command("cancel_current_turn", { request_id: "R1" });
    await desk.ending("R1");
  });

  test("cancels whatever runs in the thread of a request, as Zed does", async () => {
    const desk = new HostUnderTest();
    const thread = await desk.thread();
    desk.say("wait for cancel", "R1", { acp_thread_id: thread });
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "create" });
    expect(await desk.ending("R1")).toMatchObject({ event_type: "message_completed" });
    expect(desk.events.some(({ data }) => data["request_id"] === "create" && data["status"] === "cancelled")).toBe(
      true,
    );
  });
});
