import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openBridgeApp } from "../testing/bridge-app.ts";
import { ann, bob, threadOf, turnsOf } from "../testing/read-thread.ts";
import type { FoundWorkSession } from "./app.ts";
import { closeThread } from "./close-thread.ts";
import { sendMessage } from "./send-message.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
const known = new Map<string, FoundWorkSession>();

beforeAll(async () => {
  bridge = await openBridgeApp({ workSessions: { find: async (_, id) => known.get(id) ?? null } });
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app);
});

function send(message: string, options: { requestId?: string; interrupt?: boolean; workSessionId?: string } = {}) {
  const { requestId = "", interrupt = false, workSessionId = session.workSessionId } = options;
  return sendMessage(bridge.app, ann, { workSessionId, message, interrupt, requestId });
}

function foundSession(id: string, ended: boolean): FoundWorkSession {
  const owner = { taskId: "tsk_1", userId: "ann", organizationId: "", agentType: "zed_agent", name: "Work" };
  return { ...owner, id, ended, projectPath: "/", onTurnEnd: "idle", ownCopy: false };
}

describe("a message with a request id", () => {
  test("makes one turn, however often and however much at once it is sent", async () => {
    const requestId = randomUUID();
    const turns = await Promise.all(Array.from({ length: 10 }, () => send("Once", { requestId })));
    expect(new Set(turns.map(({ id }) => id)).size).toBe(1);
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual(["queued", "queued"]);
  });

  test("is refused for other words", async () => {
    const requestId = randomUUID();
    await send("Once", { requestId });
    await expect(send("Twice", { requestId })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    await expect(send("Once", { requestId, interrupt: true })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });

  test("gives its turn again also when the thread has ended", async () => {
    const requestId = randomUUID();
    const turn = await send("Once", { requestId });
    await closeThread(bridge.app, { ...session, reason: "completed" });
    expect((await send("Once", { requestId })).id).toBe(turn.id);
  });
});

describe("a message is refused", () => {
  test("by a thread that has ended", async () => {
    await closeThread(bridge.app, { ...session, reason: "completed" });
    await expect(send("More")).rejects.toMatchObject({ reason: "THREAD_ENDED" });
  });

  test("before the session has a thread, after it has ended, and where there is none: each in its way", async () => {
    known.set("ws_early", foundSession("ws_early", false));
    known.set("ws_late", foundSession("ws_late", true));
    await expect(send("x", { workSessionId: "ws_early" })).rejects.toMatchObject({ reason: "THREAD_NOT_STARTED" });
    await expect(send("x", { workSessionId: "ws_late" })).rejects.toMatchObject({ reason: "WORK_SESSION_ENDED" });
    await expect(send("x", { workSessionId: "ws_none" })).rejects.toMatchObject({ reason: "WORK_SESSION_NOT_FOUND" });
  });

  test("by another tenant's thread as if there were none", async () => {
    const { workSessionId } = session;
    const message = { workSessionId, message: "x", interrupt: false, requestId: "" };
    const stranger = sendMessage(bridge.app, bob, message);
    await expect(stranger).rejects.toMatchObject({ reason: "WORK_SESSION_NOT_FOUND" });
  });

  test("when too many wait", async () => {
    const narrow = { ...bridge.app, limits: { ...bridge.app.limits, queuedTurnsMax: 1 } };
    const { workSessionId } = session;
    const refused = sendMessage(narrow, ann, { workSessionId, message: "x", interrupt: false, requestId: "" });
    await expect(refused).rejects.toMatchObject({ reason: "TURN_QUEUE_FULL", retryAfterMs: 60_000 });
  });
});

describe("many messages at once", () => {
  test("get different numbers", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => send(`message ${index}`)));
    expect(await threadOf(bridge.app, session.workSessionId)).toMatchObject({
      queuedTurnCount: 21,
      mapping: { turnCount: 21 },
    });
  });
});
