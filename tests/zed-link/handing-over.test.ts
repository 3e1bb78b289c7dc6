// What failed in production, and does not here: which turn is handed over when, and how one is stopped. The numbers are
// those of the table that table.test.ts keeps complete.
import { hang, hold, plans, say, wait } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { anyOf, drops, repeats } from "@helix-zed/harness/fake-zed/event-faults.ts";
import { expect, test } from "vitest";
import { claimCommands } from "../../services/zed-bridge/src/application/claim-commands.ts";
import { stageForTests } from "./kit/link-stage.ts";
import { deadlockCount, linkEpochOf } from "./kit/facts.ts";

const stage = stageForTests();

const SLOW = plans({ "Say hello": [say("Hel"), hold("end"), say("lo")] });

test("2. a prompt makes one thread, however many want to hand it over at the same moment", async () => {
  const desk = await stage.begin({ ready: false });
  const { instanceId } = desk.session;
  const epoch = await linkEpochOf(stage, instanceId);
  desk.zed.say({ event_type: "agent_ready", data: { agent_name: "zed-agent", thread_id: null } });
  const rings = Array.from({ length: 12 }, () => stage.app.database.doorbell.ring(`instance:${instanceId}`));
  const claims = await Promise.all(rings.map(() => claimCommands(stage.app, { instanceId, epoch })));
  await stage.settle();
  const given = claims.flatMap((commands) => commands ?? []).length;
  expect(given + desk.zed.heardOf("chat_message").length).toBe(1);
});

test("22. until the thread is there only the oldest turn is handed over, and interrupts wait", async () => {
  const desk = await stage.begin({ ready: false, creationMs: 20_000 });
  await desk.say("Second", { interrupt: true });
  await desk.say("Third");
  await stage.pass(5_000);
  expect(desk.zed.heard.map(({ type }) => type)).toEqual(["chat_message"]);
  expect(desk.zed.heardOf("chat_message")[0]?.data.message).toBe("Say hello");
  await stage.pass(20_000);
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "Second", "Third"]);
  expect(desk.data.threads.size).toBe(1);
});

test("24. prompts run in the order in which they were accepted, however many accept them at once", async () => {
  const desk = await stage.begin({ script: SLOW });
  const turns = await Promise.all(Array.from({ length: 12 }, (_, index) => desk.say(`Number ${index}`)));
  await desk.release("end");
  const accepted = turns.toSorted((a, b) => a.number - b.number).map(({ message }) => message);
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", ...accepted]);
  // Who takes in and who gives out lock in one order: neither ever waits for the database to part them.
  expect(await deadlockCount(stage)).toBe(0);
});

test("25. nothing is handed over while a turn of the thread has not ended, however many before it have", async () => {
  const desk = await stage.begin({ script: plans({ Busy: [say("busy"), hold("end")] }) });
  await desk.say("More");
  await desk.say("Busy");
  await desk.say("Later");
  await desk.drop();
  await stage.pass(1_000);
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "More", "Busy"]);
  await desk.release("end");
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "More", "Busy", "Later"]);
});

test("26. an interrupt stops the running turn and goes before those that wait", async () => {
  const desk = await stage.begin({ script: SLOW });
  await desk.say("Waits");
  await desk.say("Urgent", { interrupt: true });
  expect(desk.zed.heardOf("cancel_current_turn").map(({ data }) => data.request_id)).toEqual([await desk.request(1)]);
  expect(desk.data.records.map(({ message, end }) => [message, end])).toEqual([
    ["Say hello", "cancelled"],
    ["Urgent", "stopped"],
    ["Waits", "stopped"],
  ]);
  expect(await desk.turns()).toEqual(["interrupted INTERRUPTED_BY_MESSAGE", "completed", "completed"]);
});

test("27. a message that is sent again under its request id is handed over once", async () => {
  const desk = await stage.begin({ script: SLOW });
  const again = { requestId: "a-request" };
  await Promise.all(Array.from({ length: 8 }, () => desk.say("Once", again)));
  await desk.release("end");
  await desk.say("Once", again);
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "Once"]);
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("28. no frame has a role, and no frame repeats what was said before", async () => {
  const desk = await stage.begin();
  await desk.say("Second");
  await desk.drop();
  await stage.pass(1_000);
  await desk.say("Third");
  expect(desk.zed.frames.filter((frame) => frame.includes('"role"'))).toEqual([]);
  const messages = desk.zed.heardOf("chat_message").map(({ data }) => data.message);
  expect(messages).toEqual(["Say hello", "Second", "Third"]);
  expect(desk.data.records.map(({ message }) => message)).toEqual(messages);
});

test("31. a cancel that nobody answers has an end, and the next turn begins", async () => {
  const desk = await stage.begin({ script: SLOW });
  desk.zed.faults.push(drops(anyOf("turn_cancelled", "message_completed")));
  await desk.say("More");
  await desk.cancel();
  expect(await desk.turns()).toEqual(["running", "queued"]);
  await stage.pass(stage.app.limits.cancelTimeoutMs + 1_000);
  expect((await desk.turns())[0]).toBe("interrupted CANCELLED");
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "More"]);
});

test("32. any number of completions of a request end its turn once, and shift no later reply", async () => {
  const desk = await stage.begin({ faults: [repeats(anyOf("message_completed", "turn_cancelled"), 3)], script: SLOW });
  await desk.say("Two", { interrupt: true });
  await desk.say("Three");
  await desk.say("Four");
  expect((await desk.turns()).slice(1)).toEqual(["completed", "completed", "completed"]);
  expect((await desk.transcript()).slice(2)).toEqual(
    ["Two", "Three", "Four"].flatMap((message) => [`user: ${message}`, `assistant: re: ${message}`]),
  );
});

test("33. a completion counts by where its turn stands, not by when the last one came", async () => {
  const desk = await stage.begin({ script: plans({ Slow: [say("slow"), hold("end")] }) });
  // All of these end in the same moment.
  for (const message of ["Two", "Three", "Four"]) await desk.say(message);
  expect(await desk.turns()).toEqual(["completed", "completed", "completed", "completed"]);
  await desk.say("Slow");
  const request_id = await desk.request(4);
  await stage.pass(3_600_000);
  desk.zed.say({
    event_type: "message_completed",
    data: { acp_thread_id: "thread-1", message_id: "0", request_id, agent_name: "zed-agent", usage: null },
  });
  await stage.settle();
  expect((await desk.turns()).at(-1)).toBe("running");
  await desk.release("end");
});

test("36. a turn that was claimed and never written is handed over again, not held for ever", async () => {
  const desk = await stage.begin({ ready: false });
  const { instanceId } = desk.session;
  const epoch = await linkEpochOf(stage, instanceId);
  await stage.app.database.transact(({ instances }) => instances.setReady(instanceId, epoch));
  expect(await claimCommands(stage.app, { instanceId, epoch })).toHaveLength(1);
  await desk.drop();
  await stage.pass(1_000);
  expect(await desk.turns()).toEqual(["sent"]);
  await stage.pass(300_000, { stepMs: 10_000 });
  expect(await desk.turns()).toEqual(["completed"]);
  expect(desk.data.records).toHaveLength(1);
});

test("37. a turn that waits for its editor to come waits, and no attempt is counted", async () => {
  const desk = await stage.begin({ ready: false });
  await desk.crash();
  await stage.pass(3_600_000, { stepMs: 600_000 });
  expect((await desk.turnRows()).map(({ status, attempt }) => [status, attempt])).toEqual([["queued", 0]]);
  await desk.launch();
  expect((await desk.turnRows()).map(({ status, attempt }) => [status, attempt])).toEqual([["completed", 1]]);
});

test("54. a prompt that did not get through leaves no trace that a reply could follow", async () => {
  const desk = await stage.begin();
  desk.zed.connection.pause();
  await desk.say("Lost on its way");
  expect((await desk.turns())[1]).toBe("sent");
  await desk.drop();
  await stage.pass(300_000, { stepMs: 10_000 });
  expect(desk.data.records.map(({ message }) => message)).toEqual(["Say hello", "Lost on its way"]);
  expect((await desk.transcript()).slice(2)).toEqual(["user: Lost on its way", "assistant: re: Lost on its way"]);
});

test("69. what an editor does not read is kept for it, and none of it is lost", async () => {
  const first = await stage.begin();
  const others = [];
  for (let number = 1; number <= 8; number++) {
    others.push(await stage.begin({ beside: first, firstPrompt: "" }));
  }
  first.zed.connection.pause();
  const big = "x".repeat(300_000);
  for (const [index, desk] of others.entries()) await desk.say(`${index} ${big}`);
  expect(first.zed.heardOf("chat_message")).toHaveLength(1);
  first.zed.connection.resume();
  await stage.settle();
  const numbers = first.data.records.slice(1).map(({ message }) => Number(message.split(" ")[0]));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(others.map((_, index) => index));
  for (const desk of others) expect(await desk.turns()).toEqual(["completed"]);
});

test("71. only the running turn is ever cancelled: one that has ended takes no other with it", async () => {
  const desk = await stage.begin({ script: plans({ More: [say("m"), hold("end"), say("ore")] }) });
  await desk.say("More");
  await desk.cancel(await desk.request(1));
  expect(desk.zed.heardOf("cancel_current_turn")).toEqual([]);
  await desk.release("end");
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("72. while one thread holds the editor's queue, no clock runs for another", async () => {
  const script = plans({ Long: [say("long"), hold("long")] });
  const one = await stage.begin({ script, firstPrompt: "One" });
  const two = await stage.begin({ beside: one, firstPrompt: "Two" });
  await one.say("Long");
  await two.say("Behind it");
  await stage.pass(3_600_000, { stepMs: 100_000 });
  expect((await two.turnRows()).map(({ status, stalled }) => [status, stalled])).toEqual([
    ["completed", false],
    ["sent", false],
  ]);
  await one.release("long");
  expect(await two.turns()).toEqual(["completed", "completed"]);
  expect(one.data.records.map(({ message }) => message)).toEqual(["One", "Two", "Long", "Behind it"]);
});

test("73. a turn is stopped once its agent has begun, or after a moment if it does not begin", async () => {
  const script = plans({ Slow: [wait(3_000), say("slow"), hold("never")], Mute: [hang] });
  const desk = await stage.begin({ script, wedgesWhenStoppedEarly: true });
  await desk.say("Slow");
  await desk.say("Next", { interrupt: true });
  expect(desk.zed.heardOf("cancel_current_turn")).toEqual([]);
  await stage.pass(3_000);
  expect(await desk.turns()).toEqual(["completed", "interrupted INTERRUPTED_BY_MESSAGE", "completed"]);
  await desk.say("Mute");
  await desk.cancel();
  expect(desk.zed.heardOf("cancel_current_turn")).toHaveLength(1);
  await stage.pass(stage.app.limits.cancelDelayMs);
  expect((await desk.turns()).at(-1)).toBe("interrupted CANCELLED");
});
