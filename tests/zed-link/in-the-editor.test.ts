// What failed in production, and does not here: what a person does in the editor's own window. The numbers are those of
// the table that table.test.ts keeps complete.
import { hold, plans, say } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { expect, test } from "vitest";
import { mappingCount, wantedSessions } from "./kit/facts.ts";
import { stageForTests } from "./kit/link-stage.ts";

const stage = stageForTests();

test("18. a thread that a person begins is nobody's work until something is said in it, and then once", async () => {
  const desk = await stage.begin({ headless: false });
  const before = await mappingCount(stage);
  desk.zed.draft();
  desk.zed.say({ event_type: "user_created_thread", data: { acp_thread_id: "empty", title: "Nothing yet" } });
  await stage.pass(600_000, { stepMs: 60_000 });
  expect(await wantedSessions(stage, desk.session.instanceId)).toEqual([]);
  const mine = desk.zed.type("Look at this", { title: "Mine" });
  await stage.settle();
  desk.zed.type("And at that", { threadId: mine });
  await desk.drop();
  await stage.pass(1_000);
  expect(await wantedSessions(stage, desk.session.instanceId)).toEqual([mine]);
  expect(await mappingCount(stage)).toBe(before);
});

test("34. what is typed in the editor is a turn of its own, and takes no other turn's reply", async () => {
  const script = plans({ "Typed here": [say("for you"), hold("end")], Queued: [say("for the caller")] });
  const desk = await stage.begin({ headless: false, script });
  desk.zed.type("Typed here", { threadId: await desk.threadId() });
  await stage.settle();
  await desk.say("Queued");
  expect(await desk.turns()).toEqual(["completed", "running", "queued"]);
  // It goes by the request id of the turn before.
  const said = desk.zed.meant.findLast(({ event_type }) => event_type === "message_added");
  expect(said?.data).toMatchObject({ request_id: await desk.request(1), content: "for you" });
  await desk.release("end");
  expect(await desk.turns()).toEqual(["completed", "completed", "completed"]);
  expect(await desk.transcript()).toEqual([
    "user: Say hello",
    "assistant: re: Say hello",
    "user: Typed here",
    "assistant: for you",
    "user: Queued",
    "assistant: for the caller",
  ]);
});
