import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { FakeEditor } from "@helix-zed/harness/fake-editor.ts";
import { ConnectionRefused } from "@helix-zed/harness/fake-zed/editor-socket.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { encodeEvent, syncPath } from "@helix-zed/sync-protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { recordExit } from "../application/record-exit.ts";
import { revokeZedInstanceToken } from "../application/revoke-zed-instance-token.ts";
import { blockInstances } from "../testing/block-instances.ts";
import {
  type BridgeApp,
  type ClaimedSession,
  claimSession,
  launchToken,
  openBridgeApp,
} from "../testing/bridge-app.ts";
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
  served = await serveLinks(bridge.app);
  session = await claimSession(bridge.app);
  token = await launchToken(bridge.app, session.instanceId);
});

afterEach(() => served.close());

const wrongToken = "x".repeat(43);

function connectEditor(difference: { token?: string; address?: string } = {}): Promise<FakeEditor> {
  return FakeEditor.connect({ address: served.address, instanceId: session.instanceId, token, ...difference });
}

/** Asks for a WebSocket with these header lines and gives the whole answer. */
async function ask(lines: readonly string[], sessionId = session.instanceId): Promise<string> {
  const [host = "", port] = served.address.split(":");
  const socket = connect({ host, port: Number(port) });
  const head = [`GET ${syncPath}?session_id=${sessionId} HTTP/1.1`, ...lines, "Connection: Upgrade"];
  socket.write([...head, "Upgrade: websocket", "Sec-WebSocket-Version: 13", "", ""].join("\r\n"));
  const [answer]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(answer);
}

/** Takes the prompt and names the thread. */
async function beginTurn(editor: FakeEditor): Promise<string> {
  editor.send(eventOf("agent_ready", { thread_id: null }));
  const { request_id } = (await editor.take("chat_message")).data;
  editor.send(eventOf("thread_created", { request_id }));
  return request_id;
}

const turns = (): Promise<string[]> => turnsOf(bridge.app, session.workSessionId);

describe("who may not connect", () => {
  test("is a page in a browser, whatever it knows", async () => {
    expect(await ask([`Authorization: Bearer ${token}`, "Origin: http://localhost:8080", "Host: x"])).toMatch(
      /^HTTP\/1\.1 403 /,
    );
  });

  test("is whoever shows what no token or no id can be: it is told so without a look into the database", async () => {
    const blocker = await blockInstances(bridge.databaseUrl);
    expect(await ask(["Authorization: Bearer short", "Host: x"])).toMatch(/^HTTP\/1\.1 401 .*Invalid token$/s);
    expect(await ask(["Authorization: Basic eDp5", "Host: x"])).toMatch(/^HTTP\/1\.1 401 .*Invalid token$/s);
    expect(await ask([`Authorization: Bearer ${wrongToken}`, "Host: x"], "%00")).toMatch(/^HTTP\/1\.1 401 /);
    await blocker.release();
  });

  test("is whoever has failed too often, for a while; other instances on the same machine may", async () => {
    const patient = await serveLinks(bridge.app, {
      attemptLimits: { perInstance: { perSecond: 1 / 600, burst: 2 }, perAddress: { perSecond: 1, burst: 100 } },
    });
    const attempt = (): Promise<unknown> =>
      connectEditor({ token: wrongToken, address: patient.address }).catch((error: unknown) => error);
    for (let times = 0; times < 3; times++)
      expect(await attempt()).toEqual(new ConnectionRefused(401, "Invalid token"));
    const blocker = await blockInstances(bridge.databaseUrl);
    expect(await attempt()).toEqual(new ConnectionRefused(429, "Too many failed attempts"));
    await blocker.release();
    session = await claimSession(bridge.app);
    token = await launchToken(bridge.app, session.instanceId);
    await (await connectEditor({ address: patient.address })).close();
    await patient.close();
  });
});

describe("a link ends at once", () => {
  test("when its token is revoked", async () => {
    const editor = await connectEditor();
    await revokeZedInstanceToken(bridge.app, ann, { id: session.instanceId });
    expect(await editor.closed).toMatchObject({ code: 4001 });
    expect(await connectEditor().catch((error: unknown) => error)).toEqual(new ConnectionRefused(401, "Invalid token"));
  });

  test("when its process is known to have ended", async () => {
    const editor = await connectEditor();
    await recordExit(bridge.app, { instanceId: session.instanceId, launch: 1, reason: "exit code 1", logLines: [] });
    expect(await editor.closed).toMatchObject({ code: 4001 });
  });

  test("when it brings little but frames that are none", async () => {
    const strict = await serveLinks(bridge.app, { oddFrameRate: { perSecond: 1, burst: 50 } });
    const editor = await connectEditor({ address: strict.address });
    for (let count = 0; count < 200; count++) editor.sendRaw(count % 2 === 0 ? "{" : Buffer.from([count]));
    expect(await editor.closed).toMatchObject({ code: 1008 });
    await strict.close();
  });

  test("when it brings text that is none", async () => {
    const socket = new WebSocket(`ws://${served.address}${syncPath}?session_id=${session.instanceId}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await once(socket, "open");
    socket.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false });
    const [code]: unknown[] = await once(socket, "close");
    expect(code).toBe(1007);
  });
});

describe("an editor that sends too much", () => {
  test("is made to wait, and loses nothing by it", async () => {
    const slow = await serveLinks(bridge.app, { frameRate: { perSecond: 200, burst: 50 } });
    const editor = await connectEditor({ address: slow.address });
    const request_id = await beginTurn(editor);
    const startedAt = performance.now();
    // Large enough that they do not come all at once: what has come is taken, whatever the limit.
    const padding = "x".repeat(8_000);
    for (let index = 1; index <= 300; index++) {
      const entry = { message_id: String(1 + (index % 3)), content: `${index} ${padding}` };
      editor.send(eventOf("message_added", { request_id, ...entry }));
    }
    editor.send(eventOf("message_completed", { request_id }));
    await eventually("the end", async () => (await turns())[0] === "completed");
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    const transcript = await transcriptOf(bridge.app, session.workSessionId);
    const firstWords = transcript.slice(1).map((line) => line.split(" ")[1]);
    expect(firstWords).toEqual(["300", "298", "299"]);
    await editor.close();
    await slow.close();
  });

  test("costs as many writes of one entry as there is time for, not as many as it sends", async () => {
    const editor = await connectEditor();
    const request_id = await beginTurn(editor);
    const blocker = await blockInstances(bridge.databaseUrl);
    for (let length = 1; length <= 2_000; length++) {
      editor.send(eventOf("message_added", { request_id, content: "x".repeat(length) }));
    }
    editor.send(eventOf("message_completed", { request_id }));
    await eventually("all is sent", () => editor.unsentBytes === 0);
    await blocker.release();
    await eventually("the end", async () => (await turns())[0] === "completed");
    const { latestTurn } = await threadOf(bridge.app, session.workSessionId);
    expect(latestTurn?.heardCount).toBeLessThan(200);
    expect((await transcriptOf(bridge.app, session.workSessionId)).at(-1)).toBe(`assistant: ${"x".repeat(2_000)}`);
    await editor.close();
  });
});

describe("a receipt", () => {
  test("is given for what is in the database, and not before", async () => {
    const socket = new WebSocket(`ws://${served.address}${syncPath}?session_id=${session.instanceId}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await once(socket, "open");
    socket.send(encodeEvent(eventOf("agent_ready", { thread_id: null })));
    const [chat]: unknown[] = await once(socket, "message");
    const { request_id } = JSON.parse(String(chat)).data;
    const pongs: string[] = [];
    socket.on("pong", (payload) => pongs.push(payload.toString()));
    const blocker = await blockInstances(bridge.databaseUrl);
    socket.send(encodeEvent(eventOf("thread_created", { request_id })));
    socket.send(encodeEvent(eventOf("message_added", { request_id, content: "Kept" })));
    socket.ping("after that");
    // What came later is answered already.
    expect(await ask(["Authorization: Bearer short", "Host: x"])).toMatch(/ 401 /);
    expect(pongs).toEqual([]);
    await blocker.release();
    await eventually("the receipt", () => pongs.length > 0);
    expect(await transcriptOf(bridge.app, session.workSessionId)).toContain("assistant: Kept");
    socket.close();
    await once(socket, "close");
  });

  test("comes for a prompt, and is on record", async () => {
    const editor = await connectEditor();
    await beginTurn(editor);
    await eventually("the receipt", async () => {
      const { latestTurn } = await threadOf(bridge.app, session.workSessionId);
      return latestTurn?.receivedAt instanceof Date;
    });
    await editor.close();
  });
});
