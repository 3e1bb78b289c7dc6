import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openApp, openBridgeApp } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { SimulatedWorld } from "../testing/simulated-world.ts";
import { claimCommands } from "./claim-commands.ts";
import { closeThread } from "./close-thread.ts";
import { deleteZedThread } from "./delete-zed-thread.ts";
import { releaseThread } from "./release-thread.ts";
import { sendMessage } from "./send-message.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;
const world = new SimulatedWorld();

beforeAll(async () => {
  bridge = await openBridgeApp({ world });
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app);
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.launch();
});

function send(message: string) {
  const { workSessionId } = session;
  return sendMessage(bridge.app, ann, { workSessionId, message, interrupt: false, requestId: "" });
}

describe("a command", () => {
  test("is given out once, to however many who ask at the same time, in however many bridges", async () => {
    await editor.connect();
    const other = await openApp(bridge.databaseUrl, { world });
    const link = { instanceId: session.instanceId, epoch: editor.epoch };
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, index) => claimCommands(index % 2 === 0 ? bridge.app : other, link)),
    );
    expect(claims.flatMap((commands) => commands ?? []).map(({ type }) => type)).toEqual(["chat_message"]);
    await other.database.close();
  });

  test("is given out on the current link only", async () => {
    await editor.connect();
    const older = { instanceId: session.instanceId, epoch: editor.epoch };
    await editor.connect();
    expect(await claimCommands(bridge.app, older)).toBeNull();
    await editor.takeOne("chat_message");
  });

  test("says how the agent is to be set up, as the session wants it, else as the bridge is configured", async () => {
    const agentSettings = { model: "small", mode: "plan", permissionPolicy: "ask" } as const;
    const said = { model: "small", mode: "plan", permission_policy: "ask", attempt: 1 };
    const particular = await claimSession(bridge.app, { agentSettings });
    const [asking, plain] = [new ScriptedEditor(bridge.app, particular.instanceId), editor];
    await asking.start();
    expect(await asking.takeOne("chat_message")).toMatchObject(said);
    await plain.connect();
    Object.assign(bridge.app, { permissionPolicy: "reject" });
    const usual = { model: null, mode: null, permission_policy: "reject" };
    expect(await plain.takeOne("chat_message")).toMatchObject(usual);
    Object.assign(bridge.app, { permissionPolicy: null });
  });

  test("waits for an editor that is ready, but not for ever", async () => {
    await editor.connect({ ready: false });
    expect(await editor.take()).toEqual([]);
    world.pass(bridge.app.limits.readyTimeoutMs);
    await editor.takeOne("chat_message");
  });

  test("waits for the thread to show that it is alive", async () => {
    await editor.connect();
    await editor.answer(await editor.beginThread(), "Hello");
    await send("More");
    await editor.disconnect();
    await editor.connect();
    await editor.takeOne("open_thread");
    expect(await editor.take()).toEqual([]);
    await editor.ready("thread-1");
    await editor.takeOne("chat_message");
  });

  test("is not given out when nobody is connected", async () => {
    await editor.connect();
    await editor.disconnect();
    expect(await editor.take()).toEqual([]);
  });

  test("is not given out for a session whose lease was lost", async () => {
    await editor.connect();
    await releaseThread(bridge.app, session);
    expect(await editor.take()).toEqual([]);
  });
});

describe("messages", () => {
  test("are sent one after the other, in the order in which they were accepted", async () => {
    await editor.connect();
    const first = await editor.beginThread();
    for (const message of ["2", "3", "4"]) await send(message);
    await editor.answer(first, "1");
    for (const [index, message] of ["2", "3", "4"].entries()) {
      expect(await editor.take()).toMatchObject([{ type: "chat_message", data: { message } }]);
      const running = (await turnsOf(bridge.app, session.workSessionId)).indexOf("sent");
      expect(running).toBe(index + 1);
      const { latestTurn } = await threadOf(bridge.app, session.workSessionId);
      await editor.answer(latestTurn?.id ?? "", message, { index: 3 + 2 * index });
    }
  });

  test("that come before the first prompt do not overtake it", async () => {
    await editor.connect();
    await send("me first");
    expect(await editor.takeOne("chat_message")).toMatchObject({ message: "Say hello" });
    expect(await editor.take()).toEqual([]);
  });
});

describe("a thread that is ended under a running turn", () => {
  test.each([
    ["by a caller", () => deleteZedThread(bridge.app, ann, session)],
    ["with its session", () => closeThread(bridge.app, { ...session, reason: "cancelled" })],
  ])("%s has its turn stopped in the editor, once", async (_, end) => {
    await editor.connect();
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    await send("More");
    await end();
    expect(await turnsOf(bridge.app, session.workSessionId)).toEqual([
      "interrupted THREAD_ENDED",
      "interrupted THREAD_ENDED",
    ]);
    expect(await editor.takeOne("cancel_current_turn")).toEqual({ request_id: request });
    expect(await editor.take()).toEqual([]);
  });
});
