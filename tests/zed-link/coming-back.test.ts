// What failed in production, and does not here: what is sent when, and how everything comes back. The numbers are those
// of the table that table.test.ts keeps complete.
import { hold, plans, say } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { anyOf, drops, first } from "@helix-zed/harness/fake-zed/event-faults.ts";
import { FakeZed } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { expect, test } from "vitest";
import { prepareLaunch } from "../../services/zed-bridge/src/application/prepare-launch.ts";
import { openApp } from "../../services/zed-bridge/src/testing/open-app.ts";
import { stageForTests } from "./kit/link-stage.ts";

const stage = stageForTests();

const GREETING = ["user: Say hello", "assistant: re: Say hello"];

test("4. a reopened thread must have shown that it lives before anything is sent to it", async () => {
  const desk = await stage.begin({ loadMs: 4_000 });
  await desk.crash();
  await desk.launch({ ready: false });
  await desk.say("More");
  expect(desk.zed.heard.map(({ type }) => type)).toEqual(["open_thread"]);
  await stage.pass(4_000);
  expect(desk.zed.heard.map(({ type }) => type)).toEqual(["open_thread", "chat_message"]);
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("10. the end of an older connection takes nothing from the newer", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("m"), hold("end"), say("ore")] }) });
  const { address, world } = stage;
  const { token, data } = desk;
  const ghost = FakeZed.start({ address, world, token, data, instanceId: desk.session.instanceId });
  stage.watch(ghost);
  await stage.settle();
  // The older one comes back, and is the newer one now.
  await stage.pass(1_000);
  await desk.say("More");
  await ghost.quit();
  await stage.settle();
  expect(await desk.instance()).toMatchObject({ connected: true });
  await desk.release("end");
  expect(await desk.transcript()).toEqual([...GREETING, "user: More", "assistant: more"]);
  expect(data.threads.size).toBe(1);
});

test("11. what an editor says before it says that it is ready counts like everything else", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hold("end"), say("lo")] }) });
  desk.zed.faults.push(drops(anyOf("agent_ready")));
  await desk.drop();
  await desk.release("end");
  expect(await desk.turns()).toEqual(["running"]);
  await stage.pass(1_000);
  expect(await desk.turns()).toEqual(["completed"]);
  expect(await desk.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
});

test("12. after a reconnect a thread is opened, then shows that it lives, then is sent to", async () => {
  const desk = await stage.begin();
  await desk.drop();
  await desk.say("More");
  desk.zed.heard.length = 0;
  desk.zed.meant.length = 0;
  await stage.pass(1_000);
  expect(desk.zed.heard.map(({ type }) => type)).toEqual(["open_thread", "chat_message"]);
  expect(desk.zed.meant.map(({ event_type }) => event_type).slice(0, 2)).toEqual(["agent_ready", "message_added"]);
  expect(await desk.transcript()).toEqual([...GREETING, "user: More", "assistant: re: More"]);
});

test("13. the first prompt waits until the editor is ready, and not for ever if it never says so", async () => {
  const desk = await stage.begin({ ready: false });
  expect(desk.zed.heard).toEqual([]);
  await stage.pass(5_000);
  expect(await desk.turns()).toEqual(["completed"]);

  const mute = await stage.begin({ faults: [drops(anyOf("agent_ready"))] });
  expect(mute.zed.heard).toEqual([]);
  await stage.pass(stage.app.limits.readyTimeoutMs);
  expect(await mute.turns()).toEqual(["completed"]);
});

test("14. any sign of life of a thread is as good as being ready", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hold("end"), say("lo")] }) });
  desk.zed.faults.push(drops(anyOf("agent_ready")));
  await desk.say("More");
  await desk.drop();
  await stage.pass(1_000);
  expect(await desk.turns()).toEqual(["running", "queued"]);
  await desk.release("end");
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("15. a thread that cannot be loaded is tried again", async () => {
  let refusals = 0;
  const desk = await stage.begin({ loadError: () => (refusals++ === 0 ? "entity released" : null) });
  await desk.crash();
  await desk.say("More");
  await desk.launch();
  await stage.pass(10_000);
  expect(refusals).toBe(2);
  expect(await desk.transcript()).toEqual([...GREETING, "user: More", "assistant: re: More"]);
});

test("17. all sessions of a task in a folder share one process, and a second is not started beside it", async () => {
  const one = await stage.begin();
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  expect(two.session.instanceId).toBe(one.session.instanceId);
  expect(two.zed.heardOf("chat_message").map(({ data }) => data.agent_name)).toEqual(["zed-agent", "zed-agent"]);
  expect(await prepareLaunch(stage.app, { instanceId: one.session.instanceId })).toBeNull();
});

test("23. the thread that is opened is the thread that is sent to, session by session", async () => {
  const one = await stage.begin({ firstPrompt: "One" });
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  await one.crash();
  await one.say("More of one");
  await two.say("More of two");
  await one.launch();
  const sent = new Map(one.zed.heardOf("chat_message").map(({ data }) => [data.message, data.acp_thread_id]));
  expect(sent).toEqual(
    new Map([
      ["More of one", await one.threadId()],
      ["More of two", await two.threadId()],
    ]),
  );
  const opened = one.zed.heardOf("open_thread").map(({ data }) => data.acp_thread_id);
  expect(opened.toSorted()).toEqual([await one.threadId(), await two.threadId()]);
});

test("29. a reply finds its turn after the bridge was killed: everything it needs is in the database", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hold("end"), say("lo")] }) });
  const port = await stage.killBridge();
  await desk.release("end");
  await stage.startBridge(port);
  await stage.pass(10_000);
  expect(await desk.turns()).toEqual(["completed"]);
  expect(await desk.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
  expect(desk.data.records).toHaveLength(1);
});

test("40. neither a crash nor a failed load nor a turn that went wrong makes a thread's name forgotten", async () => {
  let isBroken = false;
  const desk = await stage.begin({
    script: plans({ "Go wrong": [{ kind: "fail", error: "no" }] }),
    loadError: () => (isBroken ? "the disk is full" : null),
  });
  await desk.say("Go wrong");
  isBroken = true;
  await desk.crash();
  await desk.say("More");
  await desk.launch();
  await stage.pass(60_000, { stepMs: 5_000 });
  expect(await desk.turns()).toEqual(["completed", "failed AGENT_ERROR", "failed THREAD_NOT_LOADED"]);
  expect(await desk.threadId()).toBe("thread-1");
  isBroken = false;
  await desk.say("Again");
  expect(await desk.turns()).toHaveLength(4);
  expect((await desk.turns()).at(-1)).toBe("completed");
});

test("41. a thread that is gone for certain is replaced once, by the same request, and that is told", async () => {
  const desk = await stage.begin();
  await desk.crash();
  desk.data.forget("thread-1");
  await desk.say("More");
  await desk.launch();
  expect(await desk.threadId()).toBe("thread-2");
  expect((await desk.thread()).mapping.statusReason).toBe("CONTEXT_LOST");
  expect(desk.zed.heardOf("chat_message").map(({ data }) => data.request_id)).toEqual([await desk.request(2)]);
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("42. every command carries a request id, so that its failure can be heard of", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("more"), hold("end")] }) });
  await desk.say("More");
  await desk.drop();
  await stage.pass(1_000);
  await desk.cancel();
  await desk.crash();
  desk.data.forget("thread-1");
  await desk.launch();
  const commands = desk.zed.heard.map(({ type, data }) => [type, "request_id" in data && data.request_id !== ""]);
  expect(commands).toEqual(commands.map(([type]) => [type, true]));
  expect((await desk.thread()).mapping.zedThreadId).toBeNull();
});

test("43. where the agent is missing the turn fails, and no other agent is taken instead", async () => {
  const desk = await stage.begin({ absentAgents: ["zed-agent"] });
  await stage.pass(600_000, { stepMs: 60_000 });
  expect(await desk.turns()).toEqual(["failed AGENT_NOT_AVAILABLE"]);
  expect(desk.zed.heardOf("chat_message")).toHaveLength(1);
});

test("44. a thread keeps the agent that it began with, whatever is configured later", async () => {
  const desk = await stage.begin();
  const agents = new Map([["zed_agent", { wireName: "claude" }]]);
  stage.changeApp(await openApp("", { ...stage.app, agents }));
  await desk.crash();
  await desk.launch();
  await desk.say("More");
  const names = desk.zed.heard.map(({ data }) => "agent_name" in data && data.agent_name);
  expect(names).toEqual(["zed-agent", "zed-agent"]);
});

test("45. whatever name an agent goes by, it is the same agent and the same thread", async () => {
  const desk = await stage.begin();
  for (const agent_name of ["", "claude-acp", "zed-connection", "claude"]) {
    desk.zed.say({ event_type: "agent_ready", data: { agent_name, thread_id: await desk.threadId() } });
    await desk.say("More");
  }
  expect(desk.data.threads.size).toBe(1);
  expect(new Set(await desk.turns())).toEqual(new Set(["completed"]));
});

test("53. that one editor is ready says nothing about another", async () => {
  const ready = await stage.begin();
  const other = await stage.begin({ ready: false });
  await ready.say("More");
  expect(await ready.turns()).toEqual(["completed", "completed"]);
  expect(other.zed.heard).toEqual([]);
});

test("63. after a restart every thread is opened again by name, and its history does not double", async () => {
  const desk = await stage.begin();
  await desk.crash();
  await desk.launch();
  expect(desk.zed.heardOf("open_thread").map(({ data }) => data.acp_thread_id)).toEqual(["thread-1"]);
  expect(desk.zed.meant.map(({ event_type }) => event_type)).toContain("message_added");
  expect(await desk.transcript()).toEqual(GREETING);
});

test("64. an editor that is gone is started again only while it is wanted, and then says nothing by itself", async () => {
  const desk = await stage.begin();
  await desk.crash();
  await desk.launch();
  await stage.pass(600_000, { stepMs: 60_000 });
  expect(desk.zed.heardOf("chat_message")).toEqual([]);
  expect(await desk.instance()).toMatchObject({ desired: "running" });
  await desk.end();
  await stage.pass(60_000);
  await desk.crash();
  await stage.pass(60_000);
  expect(await prepareLaunch(stage.app, { instanceId: desk.session.instanceId })).toBeNull();
});

test("65. a thread that takes a minute to be made is waited for", async () => {
  const desk = await stage.begin({ creationMs: 60_000 });
  await stage.pass(59_000, { stepMs: 10_000 });
  expect(await desk.turns()).toEqual(["sent"]);
  await stage.pass(1_000);
  expect(await desk.turns()).toEqual(["completed"]);
  expect(desk.data.records).toHaveLength(1);
});

test("70. a turn whose end was lost with the socket is settled in bounded time, with what it had said", async () => {
  const desk = await stage.begin({
    script: plans({ "Say hello": [say("Hel"), hold("end"), say("lo")] }),
    faults: [drops(first(1, anyOf("message_completed")))],
  });
  await desk.release("end");
  await desk.drop();
  await desk.say("More");
  await stage.pass(900_000, { stepMs: 15_000 });
  expect(await desk.transcript()).toEqual(["user: Say hello", "assistant: Hello", "user: More", "assistant: re: More"]);
  expect(await desk.turns()).toEqual([expect.stringMatching(/^(?:completed|interrupted)/), "completed"]);
  expect(desk.data.records).toHaveLength(2);
});
