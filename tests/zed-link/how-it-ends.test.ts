// What failed in production, and does not here: how turns end, how long they may take, and what is kept of them. The
// numbers are those of the table that table.test.ts keeps complete.
import {
  type AgentPlan,
  costs,
  crash,
  hang,
  hold,
  plans,
  say,
  tool,
  wait,
} from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { repeats, reportsNoUsage, saysNothing, anyOf } from "@helix-zed/harness/fake-zed/event-faults.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { expect, test } from "vitest";
import { listReports } from "../../services/zed-bridge/src/application/list-reports.ts";
import { logOrder, entryVersions } from "./kit/facts.ts";
import { stageForTests } from "./kit/link-stage.ts";

const stage = stageForTests();

const HOUR_MS = 3_600_000;

test("16. an answer without a word fails its turn, and is not asked for again", async () => {
  const desk = await stage.begin({ faults: [saysNothing()] });
  await desk.crash();
  await desk.launch();
  await stage.pass(HOUR_MS, { stepMs: HOUR_MS / 6 });
  expect(await desk.turns()).toEqual(["failed EMPTY_RESPONSE"]);
  expect(desk.data.records).toHaveLength(1);
});

test("19. every turn ends: by the agent's word, with its process, or by a deadline", async () => {
  const script = plans({ Die: [say("d"), crash], Hang: [say("h"), hang] });
  const desk = await stage.begin({ script });
  await desk.say("Die");
  await stage.pass(60_000, { stepMs: 5_000 });
  await desk.say("Hang");
  await stage.pass(stage.app.limits.turnTimeoutMs + HOUR_MS, { stepMs: HOUR_MS });
  expect(await desk.turns()).toEqual(["completed", "failed AGENT_CRASHED", "failed TURN_TIMED_OUT"]);
  await desk.say("Go on");
  expect((await desk.turns()).at(-1)).toBe("completed");
});

test("20. a turn under which the agent dies every time is given up, and says why", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), crash] }) });
  await stage.pass(HOUR_MS, { stepMs: 60_000 });
  expect(desk.data.records).toHaveLength(stage.app.limits.attemptsMax);
  const [turn] = await desk.turnRows();
  expect(turn).toMatchObject({ status: "failed", statusReason: "AGENT_CRASHED" });
  expect(turn?.error).toContain("exited mid-turn");
});

test("21. an agent that is silent is never prompted again, and what people say is no sign of it", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hang] }) });
  for (let hour = 1; hour <= 4; hour++) {
    await desk.say("Are you there?");
    await stage.pass(HOUR_MS, { stepMs: HOUR_MS / 4 });
  }
  expect(desk.zed.heardOf("chat_message")).toHaveLength(1);
  expect((await desk.turnRows())[0]).toMatchObject({ status: "running", stalled: true });
});

test("30. a turn that was stopped stays so, whatever is still said in it", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hold("end")] }) });
  const [request_id, acp_thread_id] = [await desk.request(1), await desk.threadId()];
  await desk.cancel();
  desk.zed.say(eventOf("message_added", { acp_thread_id, request_id, message_id: "1", content: "Hello" }));
  desk.zed.say(eventOf("message_completed", { acp_thread_id, request_id }));
  desk.zed.say(eventOf("chat_response_error", { request_id, error: "no" }));
  await stage.settle();
  expect(await desk.turns()).toEqual(["interrupted CANCELLED"]);
  expect(await desk.transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
});

test("38. a turn is marked as stalled by how long nothing has come, not by how long it takes", async () => {
  const mute = await stage.begin({ script: plans({ Mute: [hang] }) });
  await mute.say("Mute");
  await stage.pass(stage.app.limits.firstEventTimeoutMs - 1_000);
  expect((await mute.turnRows())[1]).toMatchObject({ status: "sent", stalled: false });
  await stage.pass(2_000);
  expect((await mute.turnRows())[1]).toMatchObject({ status: "sent", stalled: true });
});

test("39. a tool that runs suspends every silence", async () => {
  const desk = await stage.begin({
    script: plans({
      "Say hello": [tool("build", "In Progress"), hold("end"), tool("build", "Completed"), say("Done")],
    }),
  });
  await stage.pass(2 * HOUR_MS, { stepMs: HOUR_MS / 4 });
  expect((await desk.turnRows())[0]).toMatchObject({ status: "running", stalled: false });
  await desk.release("end");
  expect(await desk.turns()).toEqual(["completed"]);
});

test("46. a long turn that goes on speaking may take hours", async () => {
  const slow: AgentPlan = Array.from({ length: 80 }, (_, part) => [say(`${part} `), wait(100_000)]).flat();
  const desk = await stage.begin({ script: plans({ "Say hello": slow }) });
  for (let part = 0; part < 8; part++) {
    expect((await desk.turnRows())[0]).toMatchObject({ status: "running", stalled: false });
    await stage.pass(1_000_000, { stepMs: 100_000 });
  }
  expect(await desk.turns()).toEqual(["completed"]);
  expect((await desk.transcript())[1]).toMatch(/ 78 79 $/);
});

test("47. the last words of a turn are stored before its end is told", async () => {
  const words: AgentPlan = Array.from({ length: 50 }, (_, index) => say(`${index} `));
  const desk = await stage.begin({ script: plans({ "Say hello": words }) });
  expect((await desk.transcript())[1]).toMatch(/ 48 49 $/);
  const order = await logOrder(stage, desk.session.mappingId);
  expect(order.indexOf("entry assistant")).toBeLessThan(order.indexOf("turn 1"));
});

test("49. an entry that grows word by word is not written word by word while the editor is ahead of us", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("0"), hold("end")] }) });
  const [request_id, acp_thread_id] = [await desk.request(1), await desk.threadId()];
  const about = { acp_thread_id, request_id, message_id: "1" };
  for (let length = 1; length <= 2_000; length++) {
    desk.zed.say(eventOf("message_added", { ...about, content: "x".repeat(length * 20) }));
  }
  await stage.settle();
  expect(await desk.transcript()).toEqual(["user: Say hello", `assistant: ${"x".repeat(40_000)}`]);
  expect(Math.max(...(await entryVersions(stage, desk.session.mappingId)))).toBeLessThan(500);
});

test("50. text that no database can hold is made such that it can, and everything else is kept to the letter", async () => {
  const odd = "nul \u0000, half \ud83d, whole 👩‍🚀, combining e\u0301";
  const desk = await stage.begin({ script: plans({ "Say hello": [say(odd)] }) });
  expect(await desk.turns()).toEqual(["completed"]);
  expect((await desk.transcript())[1]).toBe("assistant: nul , half \ufffd, whole 👩‍🚀, combining e\u0301");
});

test("56. what a turn has cost is counted once, and what nobody has told is not nothing", async () => {
  const script = plans({ One: [say("one"), costs(7)], Two: [say("two"), costs(0)], Three: [say("three")] });
  const desk = await stage.begin({ script, firstPrompt: "One", faults: [repeats(anyOf("message_completed"), 2)] });
  await desk.say("Two");
  await desk.say("Three");
  const request_id = await desk.request(1);
  const usage = (await desk.turnRows())[1]?.usage ?? null;
  desk.zed.say(eventOf("message_completed", { acp_thread_id: "thread-1", request_id, usage }));
  await stage.settle();
  expect((await desk.turnRows()).map((turn) => turn.usage?.total_tokens ?? null)).toEqual([7, 0, null]);
  desk.zed.faults.push(reportsNoUsage());
  await desk.say("One");
  expect((await desk.turnRows()).at(-1)?.usage).toBeNull();
});

test("57. a session whose agent says nothing has failed, and that is reported", async () => {
  const desk = await stage.begin({ faults: [saysNothing()], onTurnEnd: "complete" });
  const reports = await listReports(stage.app, { runner: stage.runner });
  expect(reports).toMatchObject([
    { workSessionId: desk.session.workSessionId, outcome: "failed", reason: "EMPTY_RESPONSE" },
  ]);
});

test("59. an editor that connects shows that it runs, whatever went wrong with its launch before", async () => {
  const desk = await stage.begin();
  await desk.crash("cannot be started: ENOENT");
  expect(await desk.instance()).toMatchObject({ status: "restarting" });
  await desk.launch();
  expect(await desk.instance()).toMatchObject({ status: "running" });
  const reports = await listReports(stage.app, { runner: stage.runner });
  expect(reports.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});

test("60. a turn whose editor is gone for good does not block the queue behind it", async () => {
  const desk = await stage.begin({ script: plans({ "Say hello": [say("Hel"), hang] }) });
  await desk.say("Behind it");
  await desk.zed.quit();
  await stage.settle();
  await stage.pass(stage.app.limits.connectTimeoutMs + 1_000);
  // That is when the supervisor ends it and starts it again.
  expect(await desk.instance()).toMatchObject({ connected: false, unresponsive: true });
  await stage.pass(stage.app.limits.turnTimeoutMs, { stepMs: HOUR_MS });
  expect(await desk.turns()).toEqual(["failed TURN_TIMED_OUT", "queued"]);
  await desk.crash("it was not connected for too long");
  await desk.launch();
  expect((await desk.turns())[1]).toBe("completed");
});
