import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OnTurnEnd } from "../domain/thread-mapping.ts";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";
import { cancelTurn } from "./cancel-turn.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { listReports, type Report } from "./list-reports.ts";
import { reportResult } from "./report-result.ts";
import { sendMessage } from "./send-message.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;
let request: string;
const world = new SimulatedWorld();

beforeAll(async () => {
  bridge = await openBridgeApp({ world });
});

afterAll(() => bridge.close());

beforeEach(() => begin("idle"));

async function begin(onTurnEnd: OnTurnEnd): Promise<void> {
  session = await claimSession(bridge.app, { onTurnEnd });
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.start();
  request = await editor.beginThread();
}

function report(outcome: "completed" | "failed", summary = "All of it"): Promise<{ ended: boolean }> {
  return reportResult(bridge.app, { mappingId: session.mappingId, outcome, summary });
}

async function owed(): Promise<Report | undefined> {
  return (await listReports(bridge.app, { runner })).find(({ mappingId }) => mappingId === session.mappingId);
}

const status = async (): Promise<string> => (await threadOf(bridge.app, session.workSessionId)).mapping.status;

describe("a session whose agent has reported", () => {
  test("ends as reported when the turn ends, and keeps the agent's words as its result", async () => {
    expect(await report("completed")).toEqual({ ended: false });
    expect(await status()).toBe("active");
    await editor.answer(request, "Good bye.");
    expect(await owed()).toMatchObject({ outcome: "completed", reason: "REPORTED_BY_AGENT", summary: "All of it" });
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["completed"]);
  });

  test("fails as reported although its turn was answered well", async () => {
    await begin("complete");
    await report("failed", "The tests cannot run here");
    await editor.answer(request, "Good bye.");
    expect(await owed()).toMatchObject({ outcome: "failed", error: "The tests cannot run here", summary: "" });
    expect(await status()).toBe("failed");
  });

  test("is completed as reported although its turn fails afterwards", async () => {
    await begin("complete");
    await report("completed");
    await editor.failed(request, "the model is overloaded");
    expect(await owed()).toMatchObject({ outcome: "completed" });
  });

  test("does not begin its turn anew when the agent dies after it has reported", async () => {
    await report("completed");
    await editor.crash();
    expect(await owed()).toMatchObject({ outcome: "completed", summary: "All of it" });
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["interrupted THREAD_ENDED"]);
  });

  test("ends as reported when somebody stops the turn meanwhile", async () => {
    await report("completed");
    await editor.entry({ request, index: 1, content: "Almost" });
    await cancelTurn(bridge.app, ann, { workSessionId: session.workSessionId, turnId: "" });
    await editor.takeOne("cancel_current_turn");
    await editor.cancelled(request);
    await editor.completed(request);
    expect(await owed()).toMatchObject({ outcome: "completed" });
  });

  test("does not begin what else waits in its queue", async () => {
    await sendMessage(bridge.app, ann, {
      workSessionId: session.workSessionId,
      message: "More",
      interrupt: false,
      requestId: "",
    });
    await report("completed");
    await editor.answer(request, "Good bye.");
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["completed", "interrupted THREAD_ENDED"]);
    expect(await editor.take()).toEqual([]);
  });

  test("is ended although its turn goes on, after a while", async () => {
    await report("completed");
    world.pass(bridge.app.limits.reportedTimeoutMs - 1_000);
    await expireDeadlines(bridge.app, { runner });
    expect(await status()).toBe("active");
    world.pass(2_000);
    await expireDeadlines(bridge.app, { runner });
    expect(await owed()).toMatchObject({ outcome: "completed" });
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
  });

  test("ends at once where no turn is under way", async () => {
    await editor.answer(request, "Done so far.");
    expect(await report("completed")).toEqual({ ended: true });
    expect(await owed()).toMatchObject({ outcome: "completed" });
  });
});

describe("a report", () => {
  test("takes the place of an earlier one until the session has ended, and is refused afterwards", async () => {
    await report("completed", "All of it");
    await report("failed", "Not so");
    await editor.answer(request, "Good bye.");
    expect(await owed()).toMatchObject({ outcome: "failed", error: "Not so" });
    await expect(report("completed")).rejects.toMatchObject({ reason: "THREAD_ENDED" });
  });

  test("is freed of secrets before it is stored", async () => {
    await report("completed", `I used hzs_${world.newSecret()}`);
    await editor.answer(request, "Good bye.");
    expect(await owed()).toMatchObject({ summary: "I used [redacted]" });
  });
});
