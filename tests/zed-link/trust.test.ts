// What failed in production, and does not here: who is let in, who hears what, and what is never stored. The numbers are
// those of the table that table.test.ts keeps complete.
import { ConnectionRefused, openEditorSocket } from "@helix-zed/harness/fake-zed/editor-socket.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { expect, test } from "vitest";
import { stageForTests } from "./kit/link-stage.ts";

const SECRET = "sk-this-is-the-key-of-a-model";

const stage = stageForTests({ parts: { secrets: [SECRET] } });

const INVALID = new ConnectionRefused(401, "Invalid token");

/** Why an editor is not let in; `null` if it is. */
async function refusal(instanceId: string, token: string): Promise<unknown> {
  try {
    await (await openEditorSocket({ address: stage.address, instanceId, token })).drop();
    return null;
  } catch (error) {
    return error;
  }
}

test("51. a token opens the link of its own instance, and no other token does", async () => {
  const desk = await stage.begin();
  const other = await stage.begin();
  const { instanceId } = desk.session;
  expect(await refusal(instanceId, other.token)).toEqual(INVALID);
  expect(await refusal(instanceId, `${desk.token}x`)).toEqual(INVALID);
  expect(await refusal(instanceId, desk.token.slice(0, -1))).toEqual(INVALID);
  expect(await refusal(instanceId, "anything")).toEqual(INVALID);
  expect(await refusal(instanceId, "")).toEqual(new ConnectionRefused(401, "Authorization header required"));
  expect(await refusal(instanceId, desk.token)).toBeNull();
});

test("52. what is said to one agent is heard by no other, though that one be there and the right one not", async () => {
  const desk = await stage.begin({ firstPrompt: "For the first" });
  const other = await stage.begin({ firstPrompt: "For the second" });
  const heard = (): string[][] =>
    [desk, other].map(({ zed }) => zed.heardOf("chat_message").map(({ data }) => data.message));
  await desk.drop();
  await desk.say("More for the first");
  await other.say("More for the second");
  expect(heard()).toEqual([["For the first"], ["For the second", "More for the second"]]);
  await stage.pass(1_000);
  expect(heard()).toEqual([
    ["For the first", "More for the first"],
    ["For the second", "More for the second"],
  ]);
});

test("66. every launch has a token of its own, and that of an earlier one is good for nothing", async () => {
  const desk = await stage.begin();
  const earlier = desk.token;
  await desk.crash();
  expect(await refusal(desk.session.instanceId, earlier)).toEqual(INVALID);
  await desk.launch();
  expect(desk.token).not.toBe(earlier);
  expect(await refusal(desk.session.instanceId, earlier)).toEqual(INVALID);
  await desk.say("More");
  expect(await desk.turns()).toEqual(["completed", "completed"]);
});

test("67. secrets that an agent prints are not stored: those of providers, and the editor's own token", async () => {
  const desk = await stage.begin();
  await desk.say(`Print ${SECRET}`);
  const own = desk.token;
  await desk.say("Your token?");
  const request_id = await desk.request(3);
  const tool = { entry_type: "tool_call", tool_name: `env ${own}`, tool_status: "Completed" } as const;
  const about = { acp_thread_id: "thread-1", request_id, message_id: "6" };
  desk.zed.say(eventOf("message_added", { ...about, ...tool, content: `It is ${own}.` }));
  await stage.settle();
  const said = (await desk.transcript()).filter((line) => line.startsWith("assistant"));
  expect(said[1]).toBe("assistant: re: Print [redacted]");
  expect(said).toContain("assistant: It is [redacted].");
  expect(JSON.stringify(said)).not.toContain(own);
});
