import { once } from "node:events";
import { connect } from "node:net";
import { FakeEditor } from "@helix-zed/harness/fake-editor.ts";
import { ConnectionRefused } from "@helix-zed/harness/fake-zed/editor-socket.ts";
import { eventOf } from "@helix-zed/harness/fake-zed/event-of.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { frameBytesMax } from "@helix-zed/sync-protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listInstances } from "../application/list-instances.ts";
import {
  type BridgeApp,
  claimSession,
  type ClaimedSession,
  launchToken,
  openBridgeApp,
  runner,
} from "../testing/bridge-app.ts";
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

function connectEditor(difference: { token?: string; instanceId?: string } = {}): Promise<FakeEditor> {
  return FakeEditor.connect({ address: served.address, instanceId: session.instanceId, token, ...difference });
}

function refusal(difference: { token?: string; instanceId?: string }): Promise<unknown> {
  return connectEditor(difference).catch((error: unknown) => error);
}

/** Sends an HTTP request as it is written and gives the first bytes of the answer. */
async function ask(lines: readonly string[]): Promise<string> {
  const [host = "", port] = served.address.split(":");
  const socket = connect({ host, port: Number(port) });
  socket.write([...lines, "Host: x", "Connection: Upgrade", "Upgrade: websocket", "", ""].join("\r\n"));
  const [answer]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(answer);
}

async function connected(): Promise<boolean | undefined> {
  const instances = await listInstances(bridge.app, { runner });
  return instances.find(({ id }) => id === session.instanceId)?.connected;
}

describe("the link server lets in", () => {
  test("an editor with the token of its instance", async () => {
    const editor = await connectEditor();
    expect(await connected()).toBe(true);
    await editor.close();
    await served.links.settled(session.instanceId);
    expect(await connected()).toBe(false);
  });

  test("the same editor again after it was gone", async () => {
    await (await connectEditor()).drop();
    const editor = await connectEditor();
    expect(await connected()).toBe(true);
    await editor.close();
  });
});

describe("the link server refuses", () => {
  test("an editor without a token", async () => {
    expect(await refusal({ token: "" })).toEqual(new ConnectionRefused(401, "Authorization header required"));
  });

  test("a wrong token, an unknown instance and another instance's token, all alike", async () => {
    const other = await claimSession(bridge.app);
    const otherToken = await launchToken(bridge.app, other.instanceId);
    const invalid = new ConnectionRefused(401, "Invalid token");
    expect(await refusal({ token: "wrong" })).toEqual(invalid);
    expect(await refusal({ token: otherToken })).toEqual(invalid);
    expect(await refusal({ instanceId: "zed_0", token })).toEqual(invalid);
    expect(await refusal({ instanceId: "" })).toEqual(invalid);
  });

  test("the token of an earlier launch", async () => {
    const earlier = token;
    await launchToken(bridge.app, session.instanceId);
    expect(await refusal({ token: earlier })).toEqual(new ConnectionRefused(401, "Invalid token"));
  });

  test("a WebSocket anywhere else", async () => {
    expect(await ask(["GET /elsewhere HTTP/1.1"])).toMatch(/^HTTP\/1\.1 404 /);
  });

  test("an accepted editor whose handshake is none, and does not believe it to be connected", async () => {
    const target = `/api/v1/external-agents/sync?session_id=${session.instanceId}`;
    const answer = await ask([`GET ${target} HTTP/1.1`, `Authorization: Bearer ${token}`]);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    await eventually("not connected", async () => (await connected()) === false);
  });
});

describe("of two connections of one instance", () => {
  test("the newer one fences the older", async () => {
    const older = await connectEditor();
    const newer = await connectEditor();
    expect(await older.closed).toMatchObject({ code: 4001 });
    newer.send(eventOf("agent_ready", { thread_id: null }));
    expect((await newer.take("chat_message")).data.message).toBe("Say hello");
    expect(older.untaken).toEqual([]);
    await newer.close();
  });

  test("the older one cannot take the newer one down when it ends", async () => {
    const older = await connectEditor();
    const newer = await connectEditor();
    await older.closed;
    expect(await connected()).toBe(true);
    await newer.close();
  });
});

describe("what costs an editor its connection, and what does not", () => {
  test("frames that are none cost nothing", async () => {
    const editor = await connectEditor();
    for (const frame of ["", "{", "[]", '{"event_type":"x"}', '{"event_type":"message_added","data":{}}']) {
      editor.sendRaw(frame);
    }
    editor.sendRaw(Buffer.from([1, 2, 3]));
    editor.sendRaw('{"event_type":"brand_new","data":{}}');
    editor.send(eventOf("agent_ready", { thread_id: null }));
    await editor.take("chat_message");
    await editor.close();
  });

  test("a frame over the limit costs the connection", async () => {
    const editor = await connectEditor();
    editor.sendRaw("x".repeat(frameBytesMax + 1));
    expect(await editor.closed).toMatchObject({ code: 1009 });
  });

  test("silence costs the connection, even if it is only half gone", async () => {
    const impatient = await serveLinks(bridge.app, { pingIntervalMs: 50, silenceMaxMs: 200 });
    const editor = await FakeEditor.connect({ ...session, address: impatient.address, token });
    editor.pause();
    await impatient.links.settled(session.instanceId);
    expect(await connected()).toBe(false);
    await editor.drop();
    await impatient.close();
  });

  test("an editor that answers pings and says nothing else is kept", async () => {
    const impatient = await serveLinks(bridge.app, { pingIntervalMs: 50, silenceMaxMs: 400 });
    const editor = await FakeEditor.connect({ ...session, address: impatient.address, token });
    let pings = 0;
    editor.onPing(() => pings++);
    await eventually("pings for longer than it may be silent", () => pings >= 12);
    expect(await connected()).toBe(true);
    await editor.close();
    await impatient.close();
  });

  test("the end of the bridge is told to the editor", async () => {
    const editor = await connectEditor();
    await served.links.close();
    expect(await editor.closed).toMatchObject({ code: 1001 });
    expect(await connected()).toBe(false);
  });
});
