import { once } from "node:events";
import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { SessionPool } from "./session-pool.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that answers every request with headers, never ends one, and allows two at a time on a connection. */
async function endlessServer(): Promise<{ url: string; connections: Set<http2.ServerHttp2Session> }> {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 2 } });
  const connections = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => connections.add(session));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    for (const connection of connections) connection.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return { url: `http://127.0.0.1:${address.port}`, connections };
}

describe("SessionPool", () => {
  test("opens another connection where one has no room, and uses room that came free", async () => {
    const { url, connections } = await endlessServer();
    const pool = new SessionPool(url, { streamsMax: 2 });
    const open = async (): Promise<http2.ClientHttp2Stream> => {
      const stream = await pool.request("GET", "/", {}, {});
      stream.on("error", () => {});
      await once(stream, "response");
      return stream;
    };
    const streams = [await open(), await open(), await open(), await open(), await open()];
    expect(connections.size).toBe(3);
    for (const stream of streams.slice(0, 2)) {
      stream.close();
      await once(stream, "close");
    }
    streams.push(await open(), await open(), await open());
    expect(connections.size).toBe(3);
    pool.abort();
  });
});
