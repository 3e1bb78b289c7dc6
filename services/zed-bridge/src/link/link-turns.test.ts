import { eventually } from "@helix-zed/harness/eventually.ts";
import { FakeEditor, playAgent } from "@helix-zed/harness/fake-editor.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { listenTo } from "@helix-zed/persistence";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { forgetLinks } from "../application/close-link.ts";
import { sendMessage } from "../application/send-message.ts";
import { Notifier } from "../persistence/notifier.ts";
import {
  type BridgeApp,
  type ClaimedSession,
  claimSession,
  launchToken,
  openApp,
  openBridgeApp,
  runner,
} from "../testing/bridge-app.ts";
import { blockInstances } from "../testing/block-instances.ts";
import { ann, threadOf, transcriptOf, turnsOf } from "../testing/read-thread.ts";
import { type ServedLinks, serveLinks } from "../testing/serve-links.ts";

let bridge: BridgeApp;
let served: ServedLinks;
let session: ClaimedSession;
let token: string;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

beforeEach(async () => {
  // Only what wakes the links moves them: nobody looks for himself within the time of a test.
  served = await serveLinks(bridge.app, { pollMs: 60_000 });
  session = await claimSession(bridge.app);
  token = await launchToken(bridge.app, session.instanceId);
});

afterEach(() => served.close());

async function readyEditor(address = served.address, ready = true): Promise<FakeEditor> {
  const editor = await FakeEditor.connect({ address, instanceId: session.instanceId, token });
  if (ready) editor.send(eventOf("agent_ready", { thread_id: null }));
  return editor;
}

/** Takes the prompt, names the thread and says its first word. */
async function beginTurn(editor: FakeEditor): Promise<string> {
  const { request_id } = (await editor.take("chat_message")).data;
  editor.send(eventOf("agent_ready", { thread_id: "thread-1" }));
  editor.send(eventOf("thread_created", { request_id }));
  editor.send(eventOf("message_added", { request_id, content: "Hel" }));
  await eventually("the first word", async () => (await transcript()).includes("assistant: Hel"));
  return request_id;
}

const say = (message: string, app = bridge.app): Promise<unknown> =>
  sendMessage(app, ann, { workSessionId: session.workSessionId, message, interrupt: false, requestId: "" });

const transcript = (): Promise<string[]> => transcriptOf(bridge.app, session.workSessionId);

function turns(...wanted: readonly string[]): Promise<unknown> {
  return eventually(wanted.join(", "), async () => {
    const found = await turnsOf(bridge.app, session.workSessionId);
    return JSON.stringify(found) === JSON.stringify(wanted);
  });
}

describe("a turn over a link", () => {
  test("goes from the prompt to the answer", async () => {
    const editor = await readyEditor();
    playAgent(editor, (message) => `You said: ${message}`);
    await turns("completed");
    expect(await transcript()).toEqual(["user: Say hello", "assistant: You said: Say hello"]);
    await editor.close();
  });

  test("waits for the editor to be ready", async () => {
    const editor = await readyEditor(served.address, false);
    expect(editor.untaken).toEqual([]);
    editor.send(eventOf("agent_ready", { thread_id: null }));
    await editor.take("chat_message");
    await editor.close();
  });

  test("is followed at once by the next, in the order in which they were said", async () => {
    const editor = await readyEditor();
    await say("second");
    await say("third");
    playAgent(editor, (message) => `re: ${message}`);
    await turns("completed", "completed", "completed");
    expect((await transcript()).filter((line) => line.startsWith("assistant"))).toEqual([
      "assistant: re: Say hello",
      "assistant: re: second",
      "assistant: re: third",
    ]);
    await editor.close();
  });

  test("shows what was said last, however fast it was said", async () => {
    const editor = await readyEditor();
    const request_id = await beginTurn(editor);
    for (let length = 1; length <= 80; length++) {
      editor.send(eventOf("message_added", { request_id, content: "x".repeat(length) }));
    }
    editor.send(eventOf("message_completed", { request_id }));
    await turns("completed");
    expect((await transcript()).at(-1)).toBe(`assistant: ${"x".repeat(80)}`);
    await editor.close();
  });

  test("loses nothing that was on its way when the editor hung up", async () => {
    const editor = await readyEditor();
    const request_id = await beginTurn(editor);
    for (let length = 1; length <= 40; length++) {
      editor.send(eventOf("message_added", { request_id, content: "y".repeat(length) }));
    }
    editor.send(eventOf("message_completed", { request_id }));
    await editor.close();
    await turns("completed");
    expect((await transcript()).at(-1)).toBe(`assistant: ${"y".repeat(40)}`);
  });
});

describe("a link is woken", () => {
  test("by a message to another session only if it is its own", async () => {
    const editor = await readyEditor();
    playAgent(editor, () => "done");
    await turns("completed");
    const mine = session;
    session = await claimSession(bridge.app);
    token = await launchToken(bridge.app, session.instanceId);
    const other = await readyEditor();
    await other.take("chat_message");
    session = mine;
    await say("again");
    await turns("completed", "completed");
    expect(other.untaken).toEqual([]);
    await Promise.all([editor.close(), other.close()]);
  });

  test("by a message that another bridge took, through a notification", async () => {
    const stop = new AbortController();
    const { database, world } = bridge.app;
    const listening = listenTo({
      url: bridge.databaseUrl,
      applicationName: "zed-bridge listener",
      channel: Notifier.channel,
      doorbell: database.doorbell,
      world,
      signal: stop.signal,
    });
    const editor = await readyEditor();
    playAgent(editor, () => "done");
    await turns("completed");
    const elsewhere = await openApp(bridge.databaseUrl);
    await say("from elsewhere", elsewhere);
    await turns("completed", "completed");
    await elsewhere.database.close();
    stop.abort();
    await listening;
    await editor.close();
  });

  test("by nobody, after a while", async () => {
    const curious = await serveLinks(bridge.app, { pollMs: 50 });
    const editor = await readyEditor(curious.address);
    playAgent(editor, () => "done");
    await turns("completed");
    const elsewhere = await openApp(bridge.databaseUrl);
    await say("from elsewhere", elsewhere);
    await elsewhere.database.close();
    await turns("completed", "completed");
    await editor.close();
    await curious.close();
  });
});

describe("a bridge that is restarted in the middle of a turn", () => {
  test("opens the thread again and takes the rest of the answer, once", async () => {
    const first = await readyEditor();
    const request_id = await beginTurn(first);
    await first.drop();
    await served.close();

    const app = await openApp(bridge.databaseUrl);
    await forgetLinks(app, { runner });
    served = await serveLinks(app, { pollMs: 60_000 });
    const again = await readyEditor(served.address, false);
    expect((await again.take("open_thread")).data).toMatchObject({ acp_thread_id: "thread-1", request_id });
    again.send(eventOf("agent_ready", { thread_id: "thread-1" }));
    again.send(eventOf("message_added", { request_id, content: "Hello" }));
    again.send(eventOf("message_completed", { request_id }));
    await turns("completed");
    expect(await transcript()).toEqual(["user: Say hello", "assistant: Hello"]);
    expect(again.untaken).toEqual([]);
    await again.close();
    await served.close();
    await app.database.close();
  });
});

describe("a database that is slow or away", () => {
  test("makes a fast editor wait, and nothing is lost or taken out of turn", async () => {
    const narrow = await serveLinks(bridge.app, { inboxFramesMax: 8, pollMs: 60_000 });
    const editor = await readyEditor(narrow.address);
    const request_id = await beginTurn(editor);
    const blocker = await blockInstances(bridge.databaseUrl);
    const frames = 100;
    for (let index = 1; index <= frames; index++) {
      const message_id = String(index);
      editor.send(eventOf("message_added", { request_id, message_id, content: `${index} ${"z".repeat(300_000)}` }));
    }
    editor.send(eventOf("message_completed", { request_id }));
    await eventually("the editor waits", () => editor.unsentBytes > 10_000_000);
    await blocker.release();
    await turns("completed");
    // The name of the thread, its first word, all frames, the end.
    const { latestTurn } = await threadOf(bridge.app, session.workSessionId);
    expect(latestTurn).toMatchObject({ heardCount: frames + 3, heardLast: "message_completed" });
    expect(editor.unsentBytes).toBe(0);
    await editor.close();
    await narrow.close();
  }, 60_000);

  test("costs no event", async () => {
    const editor = await readyEditor();
    const request_id = await beginTurn(editor);
    for (let index = 1; index <= 60; index++) {
      editor.send(eventOf("message_added", { request_id, content: `part ${index}` }));
      if (index % 20 === 0) await cutConnections();
    }
    editor.send(eventOf("message_completed", { request_id }));
    const back = editor.closed.then(() => readyEditor(served.address, false));
    await turns("completed");
    expect((await transcript()).at(-1)).toBe("assistant: part 60");
    await editor.close();
    await (await back).close();
  });
});

/** Ends all connections of the bridge to its database. */
async function cutConnections(): Promise<void> {
  const client = new Client({ connectionString: bridge.databaseUrl });
  await client.connect();
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await client.end();
}
