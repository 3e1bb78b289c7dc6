import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ann } from "../testing/read-thread.ts";
import { Stage } from "../testing/stage.ts";
import { cancelTurn } from "./cancel-turn.ts";

const stage = new Stage();

beforeAll(() => stage.open());

afterAll(() => stage.close());

beforeEach(() => stage.begin());

describe("stopping a turn", () => {
  test("waits for its first sign, then for the editor's answer", async () => {
    const request = await stage.editor.beginThread();
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: "" });
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.cancelled(request);
    expect(await stage.turns()).toEqual(["interrupted CANCELLED"]);
    await stage.editor.completed(request);
    expect(await stage.turns()).toEqual(["interrupted CANCELLED"]);
  });

  test("that the editor had not begun is asked for again when it does", async () => {
    const request = await stage.editor.beginThread();
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: request });
    stage.world.pass(stage.app.limits.cancelDelayMs);
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request, "noop");
    expect(await stage.editor.take()).toEqual([]);
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    expect(await stage.editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
  });

  test("that waits in the queue takes it back at once", async () => {
    await stage.editor.beginThread();
    const queued = await stage.send("More");
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: queued.id });
    expect(await stage.turns()).toEqual(["sent", "interrupted CANCELLED"]);
  });

  test("by another message lets that one go first", async () => {
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await stage.send("Later");
    await stage.send("Stop! Do this", { interrupt: true });
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request);
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ message: "Stop! Do this" });
    expect(await stage.turns()).toEqual(["interrupted INTERRUPTED_BY_MESSAGE", "queued", "sent"]);
  });

  test("under the policy leaves the decision to the turn that interrupted", async () => {
    await stage.begin({ onTurnEnd: "complete" });
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await stage.send("Do this", { interrupt: true });
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request);
    expect(await stage.thread()).toMatchObject({ mapping: { status: "active" } });
    const chat = await stage.editor.takeOne("chat_message");
    await stage.editor.answer(chat.request_id, "Done", { index: 3 });
    expect(await stage.report()).toMatchObject({ outcome: "completed", summary: "Done" });
  });

  test("under the policy cancels a session in which nothing else waits", async () => {
    await stage.begin({ onTurnEnd: "complete" });
    const request = await stage.editor.beginThread();
    await stage.editor.entry({ request, index: 1, content: "Hel" });
    await cancelTurn(stage.app, ann, { workSessionId: stage.session.workSessionId, turnId: "" });
    await stage.editor.takeOne("cancel_current_turn");
    await stage.editor.cancelled(request);
    expect(await stage.report()).toMatchObject({ outcome: "cancelled" });
  });
});
