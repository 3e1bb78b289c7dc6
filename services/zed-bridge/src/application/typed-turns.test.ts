import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ann } from "../testing/read-thread.ts";
import { Stage } from "../testing/stage.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { runner } from "../testing/bridge-app.ts";

const stage = new Stage();
let first: string;

beforeAll(() => stage.open({ launchTarget: "zed" }));

afterAll(() => stage.close());

/** A thread in which the bridge has had one turn, with the entries 0 and 1. */
beforeEach(async () => {
  await stage.begin();
  first = await stage.editor.beginThread();
  await stage.editor.answer(first, "Hello");
});

/** What a person types in the editor, under the id of the turn before. */
const type = (index: number, content: string, request = first): Promise<string | null> =>
  stage.editor.entry({ request, index, content, role: "user" });

describe("what is typed in the editor", () => {
  test("is a turn of its own, with its answer, under the id of the turn before", async () => {
    await type(2, "And what is this?");
    expect(await stage.turns()).toEqual(["completed", "running"]);
    expect((await stage.thread()).latestTurn).toMatchObject({ origin: "editor", message: "And what is this?" });
    await stage.editor.entry({ request: first, index: 3, content: "A fi" });
    await stage.editor.entry({ request: first, index: 3, content: "A file" });
    await stage.editor.completed(first);
    expect(await stage.turns()).toEqual(["completed", "completed"]);
    expect(await stage.transcript()).toEqual([
      "user: Say hello",
      "assistant: Hello",
      "user: And what is this?",
      "assistant: A file",
    ]);
  });

  test("may go by no id at all", async () => {
    await type(2, "And this?", "");
    await stage.editor.entry({ request: "", index: 3, content: "A folder" });
    await stage.editor.completed("");
    expect(await stage.turns()).toEqual(["completed", "completed"]);
    expect((await stage.transcript()).slice(2)).toEqual(["user: And this?", "assistant: A folder"]);
  });

  test("makes the next message wait, whose answer it does not take", async () => {
    await type(2, "Mine");
    await stage.send("Yours");
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.entry({ request: first, index: 3, content: "for you" });
    await stage.editor.completed(first);
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    await stage.editor.answer(second, "for the caller", { index: 5 });
    expect(await stage.turns()).toEqual(["completed", "completed", "completed"]);
    expect((await stage.transcript()).slice(2)).toEqual([
      "user: Mine",
      "assistant: for you",
      "user: Yours",
      "assistant: for the caller",
    ]);
  });

  test("keeps what its agent says late, also under an older id", async () => {
    await type(2, "Mine");
    await stage.editor.answer(first, "Done", { index: 3 });
    await stage.editor.entry({ request: first, index: 4, content: "PS" });
    expect((await stage.transcript()).slice(2)).toEqual(["user: Mine", "assistant: Done", "assistant: PS"]);
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });

  test("leaves what the turn before it says late to that turn", async () => {
    await type(3, "Mine");
    await stage.editor.entry({ request: first, index: 2, content: "late" });
    expect(await stage.transcript()).toEqual(["user: Say hello", "assistant: Hello", "assistant: late", "user: Mine"]);
  });

  test("that comes twice is typed once, and so is what a loaded thread tells again", async () => {
    await type(2, "Mine");
    expect(await type(2, "Mine")).toBe("the entry is known already");
    await stage.editor.answer(first, "Done", { index: 3 });
    expect(await type(0, "Say hello")).toBe("it is history");
    expect(await stage.turns()).toEqual(["completed", "completed"]);
  });

  test("is known from history in a new process by its words", async () => {
    await type(2, "Mine");
    await stage.editor.answer(first, "Done", { index: 3 });
    await stage.editor.crash();
    stage.world.pass(1_000);
    await stage.editor.start();
    await stage.editor.takeOne("open_thread");
    for (const [index, words] of [
      [0, "Say hello"],
      [2, "Mine"],
    ] as const) {
      expect(await type(index, words)).toBe("it is history of an earlier launch");
    }
    expect(await type(4, "New")).toBe("the thread is not open yet");
    await stage.editor.ready("thread-1");
    expect(await type(4, "New")).toBeNull();
    expect(await stage.turns()).toEqual(["completed", "completed", "running"]);
  });

  test("while a turn runs is in that turn's transcript, and goes on as a turn when that ends without answering it", async () => {
    await stage.send("More");
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request: second, index: 3, content: "Working" });
    await type(4, "Stop that", second);
    expect(await stage.turns()).toEqual(["completed", "running"]);
    await stage.editor.completed(second);
    expect(await stage.turns()).toEqual(["completed", "completed", "running"]);
    await stage.editor.answer(second, "Stopped", { index: 5 });
    expect(await stage.turns()).toEqual(["completed", "completed", "completed"]);
    expect((await stage.transcript()).slice(2)).toEqual([
      "user: More",
      "assistant: Working",
      "user: Stop that",
      "assistant: Stopped",
    ]);
  });

  test("while a turn runs, and that the turn answers, begins none", async () => {
    await stage.send("More");
    const { request_id: second } = await stage.editor.takeOne("chat_message");
    await stage.editor.entry({ request: second, index: 3, content: "Working" });
    await type(4, "Faster", second);
    await stage.editor.answer(second, "Yes", { index: 5 });
    expect(await stage.turns()).toEqual(["completed", "completed"]);
    expect((await stage.transcript()).slice(3)).toEqual(["assistant: Working", "user: Faster", "assistant: Yes"]);
  });

  test("is not said again in the person's name when the editor dies", async () => {
    await type(2, "Mine");
    await stage.editor.crash();
    expect(await stage.turns()).toEqual(["completed", "failed EDITOR_LOST"]);
    stage.world.pass(1_000);
    await stage.editor.start();
    await stage.editor.takeOne("open_thread");
    await stage.editor.ready("thread-1");
    expect(await stage.editor.take()).toEqual([]);
  });

  test("can be stopped, by the id that it goes by", async () => {
    await type(2, "Mine");
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: "" });
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: first });
    await stage.editor.cancelled(first);
    expect(await stage.turns()).toEqual(["completed", "interrupted CANCELLED"]);
  });

  test("fails with its agent", async () => {
    await type(2, "Mine");
    await stage.editor.failed(first, "max tokens");
    expect(await stage.turns()).toEqual(["completed", "failed AGENT_ERROR"]);
  });

  test("does not hold the thread for ever when its end was lost", async () => {
    await type(2, "Mine", "");
    await stage.editor.entry({ request: "", index: 3, content: "Yes" });
    await stage.editor.disconnect();
    await stage.editor.connect();
    await stage.editor.takeOne("open_thread");
    await stage.editor.ready("thread-1");
    stage.world.pass(stage.app.limits.silenceTimeoutMs + 1);
    await expireDeadlines(stage.app, { runner });
    expect(await stage.turns()).toEqual(["completed", "completed COMPLETION_LOST"]);
  });

  test("holds no secret and no more of a prompt than one can have", async () => {
    await type(2, "x".repeat(70_000));
    expect((await stage.thread()).latestTurn?.message).toHaveLength(65_536);
    expect((await stage.transcript()).at(-1)).toHaveLength(70_000 + "user: ".length);
  });
});

describe("a thread", () => {
  test("has the title that the editor gives it, and lives with it", async () => {
    await stage.editor.disconnect();
    await stage.editor.connect({ ready: false });
    await stage.editor.say({
      event_type: "thread_title_changed",
      data: { acp_thread_id: "thread-1", title: "Greetings" },
    });
    expect(await stage.thread()).toMatchObject({ mapping: { title: "Greetings", status: "active" } });
  });

  test("sums what its turns cost, each once, and does not take unknown for zero", async () => {
    const usage = {
      total_tokens: 7,
      input_tokens: 5,
      output_tokens: 2,
      thought_tokens: 0,
      cached_read_tokens: 1,
      cached_write_tokens: 0,
    };
    expect((await stage.thread()).mapping.usage).toBeNull();
    for (const index of [3, 5]) {
      await stage.send("More");
      const { request_id: request } = await stage.editor.takeOne("chat_message");
      await stage.editor.entry({ request, index, content: `Answer ${index}` });
      await stage.editor.completed(request, "thread-1", usage);
      await stage.editor.completed(request, "thread-1", usage);
    }
    expect((await stage.thread()).mapping.usage).toMatchObject({ total_tokens: 14, cached_read_tokens: 2 });
  });

  test("can tell what was delivered in a turn", async () => {
    await stage.send("More");
    const { request_id: request } = await stage.editor.takeOne("chat_message");
    for (const content of ["a", "ab", "ab"]) await stage.editor.entry({ request, index: 3, content });
    await stage.editor.completed(request);
    expect((await stage.thread()).latestTurn).toMatchObject({ heardCount: 4, heardLast: "message_completed" });
  });
});
