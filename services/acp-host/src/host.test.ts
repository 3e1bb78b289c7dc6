import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import { pino } from "pino";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { agentDefinition } from "./agent-definition.ts";
import { Agents } from "./agents.ts";
import { Host } from "./host.ts";
import { PermissionDesk } from "./permission-desk.ts";
import { makeHostFolders } from "./testing/host-process.ts";
import { SimulatedWorld } from "./testing/simulated-world.ts";
import { ThreadIndex } from "./thread-index.ts";
import { Threads } from "./threads.ts";

// Everything but the socket: a host in front of a scripted agent in a real
// process, with time that stands still unless a test moves it.

const script = fileURLToPath(new URL("testing/scripted-agent.ts", import.meta.url));
const folders = makeHostFolders();
const running: Agents[] = [];
afterEach(async () => void (await Promise.all(running.splice(0).map((agents) => agents.stop()))));
afterAll(() => folders.remove());

interface Event {
  readonly event_type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let hosts = 0;

class Desk {
  readonly world = new SimulatedWorld();
  readonly events: Event[] = [];
  readonly host: Host;
  readonly dataDir: string;
  readonly #waiting = new Set<() => void>();

  /** A host with an agent that fails in a certain way; `dataDir` is that of an earlier one to restart it. */
  constructor(agent: object = {}, failure = "", dataDir = join(folders.dataDir, String((hosts += 1)))) {
    const { world } = this;
    this.dataDir = dataDir;
    const { workDir } = folders;
    const scripted = {
      name: "scripted",
      command: process.execPath,
      args: [script, failure],
      env_names: ["SCRIPTED_*"],
    };
    const definitions = [agentDefinition.parse({ ...scripted, ...agent })];
    const environment = { ...process.env, SCRIPTED_KEY: "very-secret-key" };
    const log = pino({ level: "silent" });
    const agents = new Agents({ definitions, defaultAgent: "scripted", environment, dataDir, workDir, world, log });
    running.push(agents);
    const index = ThreadIndex.open(join(dataDir, "threads.json"));
    const send = (event: SyncEvent): void => {
      this.events.push(event);
      for (const check of this.#waiting) check();
    };
    const desk = new PermissionDesk({ world, send, limitMs: 60_000 });
    const threads = new Threads({ agents, index, workDir, world, send, desk });
    const limits = { readyAfterMs: 5_000, cancelLimitMs: 10_000 };
    this.host = new Host({ threads, desk, hasThreads: !index.isEmpty, world, log, send, ...limits });
  }

  command(type: string, data: object): void {
    this.host.onFrame(JSON.stringify({ type, data }));
  }

  say(message: string, request_id: string, more: object = {}): void {
    this.command("chat_message", { message, request_id, ...more });
  }

  async waitFor(condition: (event: Event) => boolean): Promise<Event> {
    const found = this.events.find(condition);
    if (found !== undefined) return found;
    return new Promise((resolve) => {
      const check = (): void => {
        const event = this.events.find(condition);
        if (event === undefined) return;
        this.#waiting.delete(check);
        resolve(event);
      };
      this.#waiting.add(check);
    });
  }

  ending(requestId: string): Promise<Event> {
    const ends = ["message_completed", "chat_response_error", "thread_load_error"];
    return this.waitFor(({ event_type, data }) => ends.includes(event_type) && data["request_id"] === requestId);
  }

  /** Something is said in this request. */
  saying(requestId: string): Promise<Event> {
    return this.waitFor(({ event_type, data }) => event_type === "message_added" && data["request_id"] === requestId);
  }

  /** A new thread with one finished turn. */
  async thread(request = "create"): Promise<string> {
    this.say("hello", request);
    await this.ending(request);
    const created = this.events.findLast((event) => event.event_type === "thread_created");
    return String(created?.data["acp_thread_id"]);
  }

  /** The last content of each entry of a request. */
  entries(requestId: string): string[] {
    const added = this.events.filter(
      ({ event_type: type, data }) => type === "message_added" && data["request_id"] === requestId,
    );
    return [...new Map(added.map(({ data }) => [data["message_id"], String(data["content"])])).values()];
  }
}

/** What the one tool call of a host went through. */
function statuses(desk: Desk): unknown[] {
  const all = desk.events.flatMap(({ data }) => (data["entry_type"] === "tool_call" ? [data["tool_status"]] : []));
  return all.filter((status, at) => status !== all[at - 1]);
}

/** Restarts a host that has one thread, with an agent that is other than before. */
async function restart(agent: object, failure: string): Promise<{ desk: Desk; thread: string }> {
  const first = new Desk();
  const thread = await first.thread();
  return { desk: new Desk(agent, failure, first.dataDir), thread };
}

describe("a turn", () => {
  test("shows thoughts, and the terminal in which a command ran", async () => {
    const desk = new Desk();
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
    const desk = new Desk();
    desk.say(prompt, "R1");
    const error = `agent "scripted" stopped: ${reason}`;
    expect(await desk.ending("R1")).toEqual({ event_type: "chat_response_error", data: { request_id: "R1", error } });
  });

  test("that is cancelled ends at once, and what the agent says late belongs to it", async () => {
    const desk = new Desk();
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
    const desk = new Desk();
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
    const desk = new Desk();
    desk.say("ask first", "R1");
    await desk.ending("R1");
    expect(desk.entries("R1").at(-1)).toBe("once");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "In Progress"]);
  });

  test("waits where the policy says so, and is rejected after its time", async () => {
    const desk = new Desk({ auto_approve: false });
    desk.say("ask first", "R1");
    await desk.saying("R1");
    desk.world.advance(60_000);
    await desk.ending("R1");
    expect(desk.entries("R1").at(-1)).toBe("no");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "Rejected"]);
  });

  test("that waits ends with its turn", async () => {
    const desk = new Desk({ auto_approve: false });
    desk.say("ask first", "R1");
    await desk.saying("R1");
    desk.command("cancel_current_turn", { request_id: "R1" });
    await desk.waitFor(({ data }) => data["content"] === "cancelled");
    expect(statuses(desk)).toEqual(["Waiting for confirmation", "Canceled"]);
  });
});

describe("an agent that fails", () => {
  test("at its start says why, without the secrets it was given", async () => {
    const desk = new Desk({}, "dies");
    desk.say("hello", "R1");
    const { data } = await desk.ending("R1");
    expect(data["error"]).toBe(
      'agent "scripted" exited with code 3 and did not start; it last said: cannot go on with key [redacted]',
    );
    desk.say("hello", "R2");
    expect((await desk.ending("R2")).data["error"]).toBe(data["error"]);
  });

  test("to open a session is reported", async () => {
    const desk = new Desk({}, "no-session");
    desk.say("hello", "R1");
    const error = 'agent "scripted" cannot open a session: Authentication required';
    expect(await desk.ending("R1")).toMatchObject({ event_type: "chat_response_error", data: { error } });
  });

  test("to enter its mode is reported", async () => {
    const planning = new Desk({ default_mode: "plan" });
    planning.say("hello", "R1");
    expect(await planning.ending("R1")).toMatchObject({ event_type: "message_completed" });
    const desk = new Desk({ default_mode: "party" });
    desk.say("hello", "R1");
    expect((await desk.ending("R1")).data["error"]).toBe(
      'agent "scripted" cannot be put into mode "party": no mode party',
    );
  });

  test("in mid-turn fails that turn, and starts again with the next message", async () => {
    const desk = new Desk();
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
    const desk = new Desk();
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
    const desk = new Desk();
    desk.host.onLink("up");
    desk.command("open_thread", { acp_thread_id: "none", request_id: "O1" });
    await desk.ending("O1");
    desk.world.advance(10_000);
    expect(desk.events.map((event) => event.event_type)).toEqual(["agent_ready", "thread_load_error"]);
  });

  test("is not told after the link went down", () => {
    const desk = new Desk();
    desk.host.onLink("up");
    desk.host.onLink("down");
    desk.world.advance(10_000);
    expect(desk.events).toHaveLength(1);
  });
});

describe("one agent process", () => {
  test("holds all threads, also when several are created at once", async () => {
    const desk = new Desk();
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
    const desk = new Desk();
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
    const desk = new Desk();
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
    const desk = new Desk();
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
