import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDemoModel, type DemoModel } from "@helix-zed/demo-model";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { HostProcess, makeHostFolders, type HostFolders } from "./testing/host-process.ts";
import { TestBridge, transcript, type Received } from "./testing/test-bridge.ts";

// The real host process in front of the real qwen, which asks the demo model.
// One host for all tests, in order, because an agent takes its time to start.

let model: DemoModel;
let bridge: TestBridge;
let folders: HostFolders;
let host: HostProcess;

beforeAll(async () => {
  [model, bridge, folders] = [await startDemoModel(), await TestBridge.start(), makeHostFolders()];
  host = startHost();
});

afterAll(async () => {
  await host.end("SIGTERM");
  await bridge.close();
  await model.close();
  folders.remove();
});

function startHost(more: Readonly<Record<string, string>> = {}): HostProcess {
  const agentsFile = join(folders.dataDir, "..", "agents.json");
  writeFileSync(agentsFile, JSON.stringify({ agents: [{ name: "absent", command: "no-such-agent" }] }));
  return HostProcess.start({
    HELIX_SESSION_ID: "zed_1",
    ZED_HELIX_URL: bridge.address,
    ZED_HELIX_TOKEN: "the-secret-token",
    ZED_WORK_DIR: folders.workDir,
    ACP_HOST_DATA_DIR: folders.dataDir,
    ACP_HOST_AGENTS: agentsFile,
    OPENAI_API_KEY: "the-secret-key",
    OPENAI_BASE_URL: `${model.url}/v1`,
    OPENAI_MODEL: "demo-model",
    ...more,
  });
}

let requests = 0;

/** Says something, and returns the request id. */
function say(message: string, more: object = {}): string {
  requests += 1;
  const request_id = `req_${requests}`;
  bridge.send("chat_message", { message, request_id, ...more });
  return request_id;
}

function ofRequest(requestId: string): (event: Received) => boolean {
  return (event) => event.data["request_id"] === requestId;
}

/** The event that ends a turn. */
async function ending(requestId: string): Promise<Received> {
  const ends = ["message_completed", "chat_response_error", "thread_load_error"];
  const find = (): Received | undefined => bridge.of(requestId).find((event) => ends.includes(event.event_type));
  await bridge.until(() => find() !== undefined);
  const found = find();
  if (found === undefined) throw new Error("no end");
  return found;
}

async function threadOf(requestId: string): Promise<string> {
  const created = await bridge.waitFor("thread_created", ofRequest(requestId));
  return String(created.data["acp_thread_id"]);
}

/** What came since then, without the readiness timer, which fires 5 s after a connect whatever a test does. */
function since(before: number): Received[] {
  return bridge.events.slice(before).filter((event) => event.data["agent_name"] !== "zed-connection");
}

/** A thread with one finished turn. */
async function newThread(message = "Say hello [demo: no-tool]"): Promise<string> {
  const request = say(message);
  await ending(request);
  return threadOf(request);
}

function showLogOnFailure(): void {
  onTestFailed(() => void process.stderr.write(host.output));
}

describe("a host that connects", () => {
  test("presents its session and its token, and pings before anything else", async () => {
    await bridge.waitFor("agent_ready");
    expect(bridge.links).toEqual([
      { path: "/api/v1/external-agents/sync?session_id=zed_1", authorization: "Bearer the-secret-token" },
    ]);
    expect(bridge.events[0]).toEqual({ event_type: "ping", data: { timestamp: expect.any(Number) }, link: 1 });
    expect(bridge.events[1]).toMatchObject({ data: { agent_name: "zed-agent", thread_id: null } });
  });
});

describe("a thread", () => {
  let thread: string;

  test("is created by a message without one, and its agent writes the file it was asked for", async () => {
    showLogOnFailure();
    const request = say("Add user profile page", { agent_name: "qwen" });
    thread = await threadOf(request);
    const end = await ending(request);
    expect(end).toMatchObject({
      event_type: "message_completed",
      data: { acp_thread_id: thread, message_id: "0", agent_name: "qwen-code" },
    });
    expect(end.data["usage"]).toMatchObject({ total_tokens: expect.any(Number), cached_write_tokens: 0 });
    expect(readFileSync(join(folders.workDir, "user-profile-page.md"), "utf8")).toContain("the demo model");
    const ready = bridge.events.findIndex((event) => event.data["thread_id"] === thread);
    expect(bridge.events[ready]).toMatchObject({ event_type: "agent_ready", data: { agent_name: "qwen" } });
    expect(bridge.events[ready + 1]).toMatchObject({ event_type: "thread_created" });
  });

  test("has whole entries, numbered from the user's own, which is not echoed", () => {
    const entries = transcript(bridge.events, thread);
    expect([...entries.keys()]).toEqual(["1", "2", "3"]);
    expect(entries.get("1")).toBe("I will write user-profile-page.md.");
    expect(entries.get("2")).toMatch(
      /^\*\*Tool Call: .*\nStatus: Completed\n\nDiff: .*user-profile-page.md\n```\n# User/,
    );
    expect(entries.get("3")).toMatch(/^Done\./);
    const statuses = bridge.events
      .filter((event) => event.data["message_id"] === "2")
      .map((event) => event.data["tool_status"]);
    expect(statuses.filter((status, at) => status !== statuses[at - 1])).toEqual([
      "Waiting for confirmation",
      "In Progress",
      "Completed",
    ]);
  });

  test("sends every key of an entry, and all entries of the turn again before the turn ends", () => {
    const sent = bridge.events.filter((event) => event.data["acp_thread_id"] === thread);
    expect(sent.find((event) => event.event_type === "message_added")?.data).toEqual({
      acp_thread_id: thread,
      message_id: "1",
      role: "assistant",
      content: "I will write user-profile-page.md.",
      request_id: "req_1",
      entry_type: "text",
      tool_name: "",
      tool_status: "",
      timestamp: expect.any(Number),
    });
    expect(sent.slice(-4).map((event) => event.data["message_id"])).toEqual(["1", "2", "3", "0"]);
  });

  test("takes a follow-up without being created or loaded again", async () => {
    const before = bridge.events.length;
    const request = say("Explain it [demo: no-tool]", { acp_thread_id: thread });
    expect((await ending(request)).event_type).toBe("message_completed");
    const types = new Set(since(before).map((event) => event.event_type));
    expect(types).toEqual(new Set(["message_added", "message_completed"]));
    expect(transcript(bridge.events, thread).get("5")).toBe("The demo model read: Explain it");
  });

  test("is cancelled at once: first the answer, then the end of the turn, and the next prompt is heard", async () => {
    const request = say("Take long [demo: hold cancelled]", { acp_thread_id: thread });
    await bridge.waitFor("message_added", ofRequest(request));
    bridge.send("cancel_current_turn", { request_id: request });
    const next = say("And now [demo: no-tool]", { acp_thread_id: thread });
    await ending(request);
    const ends = bridge.of(request).filter((event) => event.event_type !== "message_added");
    expect(ends.map((event) => event.data["status"] ?? event.event_type)).toEqual(["cancelled", "message_completed"]);
    expect(await ending(next)).toMatchObject({ event_type: "message_completed" });
    bridge.send("cancel_current_turn", { request_id: request });
    await bridge.waitFor("turn_cancelled", (event) => event.data["status"] === "noop");
  });

  test("is interrupted by a message that says so, which is then delivered", async () => {
    const request = say("Take long [demo: hold interrupted]", { acp_thread_id: thread });
    await bridge.waitFor("message_added", ofRequest(request));
    const next = say("Stop, do this [demo: no-tool]", { acp_thread_id: thread, interrupt: true });
    expect((await ending(next)).event_type).toBe("message_completed");
    expect(bridge.of(request).map((event) => event.event_type)).not.toContain("turn_cancelled");
    expect((await ending(request)).event_type).toBe("message_completed");
  });

  test("does not wait for another one that is being created", async () => {
    const held = say("Take long [demo: hold first]");
    await bridge.waitFor("message_added", ofRequest(held));
    const other = say("Quick [demo: no-tool]");
    expect((await ending(other)).event_type).toBe("message_completed");
    expect(await threadOf(other)).not.toBe(await threadOf(held));
    model.release("first");
    expect((await ending(held)).event_type).toBe("message_completed");
    expect(host.agentPids).toHaveLength(1);
  });

  test("echoes what is said as if typed", async () => {
    bridge.send("simulate_user_input", {
      message: "Typed [demo: no-tool]",
      request_id: "typed",
      acp_thread_id: thread,
    });
    await ending("typed");
    expect(bridge.of("typed")[0]).toMatchObject({ data: { role: "user", content: "Typed [demo: no-tool]" } });
  });

  test("reports what the model refuses", async () => {
    const request = say("Fail [demo: error 400]", { acp_thread_id: thread });
    expect(await ending(request)).toMatchObject({
      event_type: "chat_response_error",
      data: { error: 'agent "qwen" failed: 400 The demo model was asked to fail with status 400.' },
    });
    expect(bridge.of(request).map((event) => event.event_type)).not.toContain("message_completed");
  });
});

describe("a lost link", () => {
  test("loses no event: the turn goes on, and everything arrives after it is back", async () => {
    showLogOnFailure();
    const request = say("Survive [demo: hold link]");
    await bridge.waitFor("message_added", ofRequest(request));
    bridge.dropLink();
    model.release("link");
    await ending(request);
    const second = bridge.events.filter((event) => event.link === 2);
    expect(second[0]?.event_type).toBe("ping");
    const entries = transcript(bridge.events, await threadOf(request));
    expect([...entries.keys()]).toEqual(["1", "2", "3"]);
    expect(bridge.of(request).filter((event) => event.event_type === "message_completed")).toHaveLength(1);
  });
});

describe("what cannot be done", () => {
  test("an unknown thread is certainly missing, for a follow-up and for open_thread", async () => {
    const request = say("Hello", { acp_thread_id: "no-such-thread" });
    const error = 'Failed to load thread: no thread found with ID: SessionId("no-such-thread")';
    expect(await ending(request)).toMatchObject({ event_type: "thread_load_error", data: { error } });
    bridge.send("open_thread", { acp_thread_id: "no-such-thread", request_id: "open-1" });
    expect(await ending("open-1")).toMatchObject({ data: { acp_thread_id: "no-such-thread", error } });
  });

  test("an agent that is not installed, and one that nobody knows", async () => {
    const absent = say("Hello", { agent_name: "absent" });
    expect(await ending(absent)).toMatchObject({
      event_type: "chat_response_error",
      data: { error: 'agent "absent" is not installed: command no-such-agent not found' },
    });
    const unknown = say("Hello", { agent_name: "" });
    expect((await ending(unknown)).data["error"]).toMatch(
      /^agent "" is not configured on this host; known are absent, qwen/,
    );
  });

  test("frames that are no commands do no harm", async () => {
    for (const text of ["", "[]", '{"type":"chat_message","data":{}}', '{"type":"nonsense","data":{}}'])
      bridge.sendRaw(text);
    bridge.send("chat_message", { message: "echo", request_id: "echo", role: "user" });
    bridge.send("query_ui_state", { query_id: "q1" });
    const state = await bridge.waitFor("ui_state_response");
    expect(state.data).toMatchObject({ query_id: "q1", active_view: "headless", mcp_servers: {}, active_model: null });
    expect(bridge.of("echo")).toEqual([]);
  });
});

describe("a killed agent", () => {
  test("fails its turn with the reason; the next message brings it back with its conversation", async () => {
    showLogOnFailure();
    const thread = await newThread("Remember the fox [demo: no-tool]");
    const request = say("Die [demo: hold killed]", { acp_thread_id: thread });
    await bridge.waitFor("message_added", ofRequest(request));
    process.kill(-(host.agentPids.at(-1) ?? Number.NaN), "SIGKILL");
    expect(await ending(request)).toMatchObject({
      event_type: "chat_response_error",
      data: { error: expect.stringMatching(/^agent "qwen" was killed by SIGKILL in mid-turn/) },
    });
    const before = bridge.events.length;
    const next = say("Go on [demo: no-tool]", { acp_thread_id: thread });
    expect((await ending(next)).event_type).toBe("message_completed");
    expect(since(before)[0]).toMatchObject({ event_type: "agent_ready", data: { thread_id: thread } });
    const replayed = bridge.events.slice(before).filter((event) => String(event.data["content"]).includes("fox"));
    expect(replayed).toEqual([]);
  });
});

describe("a host that was killed in mid-turn", () => {
  test("opens its threads again, and goes on with them", async () => {
    showLogOnFailure();
    const thread = await newThread();
    const request = say("Die [demo: hold host-killed]", { acp_thread_id: thread });
    await bridge.waitFor("message_added", ofRequest(request));
    await host.end("SIGKILL");
    const before = bridge.events.length;
    host = startHost();
    await bridge.until(() => bridge.events.length > before);
    bridge.send("open_thread", { acp_thread_id: thread, request_id: "open-2" });
    const ready = await bridge.waitFor("agent_ready", (event) => since(before).includes(event));
    expect(ready.data["thread_id"]).toBe(thread);
    const next = say("Go on [demo: no-tool]", { acp_thread_id: thread });
    expect((await ending(next)).event_type).toBe("message_completed");
    const types = since(before).map((event) => event.event_type);
    expect(types.slice(0, 2)).toEqual(["ping", "agent_ready"]);
    expect(types.filter((type) => type === "agent_ready")).toHaveLength(1);
  });

  test("leaves no agent behind when it is stopped, and never logs the token, the key or a prompt", async () => {
    const pid = host.agentPids.at(-1) ?? Number.NaN;
    expect(await host.end("SIGTERM")).toBe(0);
    expect(existsSync(`/proc/${pid}`) && process.platform === "linux").toBe(false);
    expect(host.output).not.toMatch(/the-secret|Go on/);
  });
});

describe("a host that nobody wants", () => {
  test("ends by itself when it has had no link for its time", async () => {
    const lonely = startHost({ ZED_HELIX_URL: "127.0.0.1:1", ACP_HOST_ORPHAN_TIMEOUT_MS: "200" });
    expect(await lonely.exited()).toBe(0);
    expect(lonely.output).toContain("no link for 200 ms");
  });

  test("says in one line what is wrong with its settings", async () => {
    const wrong = startHost({ ZED_WORK_DIR: "/no/such/folder", ACP_HOST_NONSENSE: "1" });
    expect(await wrong.exited()).toBe(1);
    expect(wrong.output).toBe(
      "acp-host cannot start: ACP_HOST_NONSENSE is not a setting of this program; ZED_WORK_DIR is not a folder\n",
    );
  });
});
