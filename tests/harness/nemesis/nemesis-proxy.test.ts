import { createServer } from "node:http";
import { once } from "node:events";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Mischief, NemesisProxy } from "./nemesis-proxy.ts";
import { WebSocketFrames } from "./websocket-frames.ts";

const server = createServer();
const sockets = new WebSocketServer({ server });
let port = 0;

beforeAll(async () => {
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)).on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = typeof address === "object" ? (address?.port ?? 0) : 0;
});

afterAll(() => {
  sockets.close();
  server.closeAllConnections();
  server.close();
});

const FRAMES = 40;

/** Sends frames, so many ahead of their echoes, until it is cut; gives which of them came back. */
async function echoes(seed: number, mischief: Mischief, ahead: number): Promise<string[]> {
  const proxy = await NemesisProxy.start({ port, seed, mischief });
  const client = new WebSocket(`ws://${proxy.address}`);
  client.on("error", () => {});
  const heard: string[] = [];
  let sent = 0;
  const send = (): void => void (sent < FRAMES && client.send(textOf(sent++)));
  client.on("message", (data) => {
    heard.push(Buffer.isBuffer(data) ? data.toString() : "");
    if (heard.length === FRAMES) client.close();
    else send();
  });
  await once(client, "open");
  for (let index = 0; index < ahead; index++) send();
  const closed = new Promise((resolve) => client.once("close", resolve));
  while (client.readyState === WebSocket.OPEN && !(await isSilent(proxy, heard))) continue;
  proxy.cut("reset");
  await closed;
  await proxy.close();
  return heard;
}

function textOf(index: number): string {
  return `${index}`.padEnd(index * 200, ".");
}

/** Whether nothing has come for many rounds of the event loop. */
async function isSilent(proxy: NemesisProxy, heard: readonly string[]): Promise<boolean> {
  const before = heard.length + proxy.stirs;
  for (let round = 0; round < 200; round++) await new Promise((resolve) => setImmediate(resolve));
  return heard.length + proxy.stirs === before && !proxy.isBusy;
}

describe("the nemesis", () => {
  test("takes frames apart and delays them, and changes nothing about them or their order", async () => {
    const heard = await echoes(1, { split: 0.5, delay: 0.5, cut: 0 }, FRAMES);
    expect(heard).toEqual(Array.from({ length: FRAMES }, (_, index) => textOf(index)));
  });

  test("cuts at the same frame for the same seed, and elsewhere for others", async () => {
    const mischief = { split: 0, delay: 0, cut: 0.04 };
    const counts = [];
    for (const seed of [1, 1, 2, 3, 4, 5]) counts.push((await echoes(seed, mischief, 1)).length);
    expect(counts[0]).toBe(counts[1]);
    expect(new Set(counts).size).toBeGreaterThan(2);
    expect(Math.min(...counts)).toBeLessThan(FRAMES);
  });

  test("finds the frames in any pieces of a stream", () => {
    const head = Buffer.from("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    const frame = fc.record({
      length: fc.oneof(fc.nat(130), fc.integer({ min: 65_530, max: 65_540 })),
      masked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 4_000 })), (shapes, cuts) => {
        const units = [head, ...shapes.map(({ length, masked }) => frameOf(length, masked))];
        const stream = Buffer.concat(units);
        const frames = new WebSocketFrames();
        const found: Buffer[] = [];
        let at = 0;
        for (const size of [...cuts, stream.length]) found.push(...frames.push(stream.subarray(at, (at += size))));
        expect(found.map(String)).toEqual(units.map(String));
      }),
      { numRuns: 50 },
    );
  });
});

function frameOf(length: number, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0;
  const payload = Buffer.alloc(length + (masked ? 4 : 0), "p");
  if (length < 126) return Buffer.concat([Buffer.from([0x81, bit | length]), payload]);
  if (length < 65_536) return Buffer.concat([Buffer.from([0x81, bit | 126, length >> 8, length & 0xff]), payload]);
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.from([0x81, bit | 127]), long, payload]);
}
