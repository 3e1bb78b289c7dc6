import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { OnePort, type OnePortOptions, PortError } from "./one-port.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const opened: OnePort[] = [];

async function open(options: Partial<OnePortOptions> = {}): Promise<{ onePort: OnePort; port: number }> {
  const onePort = new OnePort({
    handler: (request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.end(`HTTP/${request.httpVersion} ${request.url}`);
    },
    ...options,
  });
  opened.push(onePort);
  return { onePort, port: await onePort.listen({ host: "127.0.0.1", port: 0 }) };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((onePort) => onePort.close(0)));
});

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return socket;
}

/** One GET over h2c. */
async function get2(session: http2.ClientHttp2Session, path: string): Promise<string> {
  return text(session.request({ ":path": path }));
}

/** The text of one GET over HTTP/1.1. */
function get1(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nhost: a\r\n${headers}\r\n`;
}

/** Sends each piece as a packet of its own. */
async function sendInPieces(socket: net.Socket, pieces: Iterable<string | Buffer>): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("one port", () => {
  test("speaks HTTP/1.1", async () => {
    const { port } = await open();
    expect(await (await fetch(`http://127.0.0.1:${port}/a`)).text()).toBe("HTTP/1.1 /a");
  });

  test("speaks HTTP/2 with prior knowledge", async () => {
    const { port } = await open();
    const session = http2.connect(`http://127.0.0.1:${port}`);
    expect(await Promise.all(["/a", "/b"].map((path) => get2(session, path)))).toEqual(["HTTP/2.0 /a", "HTTP/2.0 /b"]);
    session.destroy();
  });

  test("recognises the preface of HTTP/2 byte by byte", async () => {
    const { port } = await open();
    const socket = await connect(port);
    await sendInPieces(socket, [...PREFACE.split(""), EMPTY_SETTINGS]);
    const [answer] = await once(socket, "data");
    // The first frame of the server: its settings.
    expect(answer[3]).toBe(4);
    socket.destroy();
  });

  test("recognises a request of HTTP/1.1 byte by byte, also one that begins like the preface", async () => {
    const { port } = await open();
    for (const method of ["GET", "PATCH", "PROPFIND"]) {
      const socket = await connect(port);
      await sendInPieces(socket, `${method} /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      expect(await text(socket)).toContain("HTTP/1.1 200 OK");
    }
  });

  test("answers pipelined requests in order", async () => {
    const { port } = await open();
    const socket = await connect(port);
    socket.write(get1("/1") + get1("/2") + get1("/3", "connection: close\r\n"));
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1\.1 \/\d/g)).toEqual(["HTTP/1.1 /1", "HTTP/1.1 /2", "HTTP/1.1 /3"]);
  });

  test("answers garbage with 400 and goes on", async () => {
    const { port } = await open();
    for (const garbage of [
      "\0\x01\x02\x03",
      "hello\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\nXX",
      "\x16\x03\x01\x02\x00",
    ]) {
      const socket = await connect(port);
      socket.write(garbage);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  test("survives a peer that breaks HTTP/2 after the preface", async () => {
    const { port } = await open();
    const socket = await connect(port);
    socket.write(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS, Buffer.alloc(64, 0xff)]));
    await buffer(socket).catch(() => null);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  test("survives connections that end or break before they said anything", async () => {
    const { port } = await open();
    const ended = await connect(port);
    ended.end();
    await buffer(ended);
    const half = await connect(port);
    half.end("PRI * HT");
    await buffer(half);
    (await connect(port)).resetAndDestroy();
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  test("closes a connection that does not say in time what it speaks, and does not spin meanwhile", async () => {
    const { port } = await open({ sniffTimeoutMs: 300 });
    const before = process.cpuUsage();
    const socket = await connect(port);
    socket.write("PRI");
    await buffer(socket).catch(() => null);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(200_000);
  });

  test("answers a request that would upgrade to h2c in HTTP/1.1", async () => {
    const { port } = await open({ upgrade: (_request, socket) => socket.destroy() });
    const socket = await connect(port);
    socket.write(
      "GET /x HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade, close\r\nhttp2-settings: AAMA\r\n\r\n",
    );
    expect(await text(socket)).toContain("HTTP/1.1 /x");
  });

  test("hands requests for a WebSocket to the upgrade listener", async () => {
    const { port } = await open({
      upgrade: (request, socket) => {
        socket.end(
          `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello ${request.url}`,
        );
      },
    });
    const request = http.request({ port, path: "/ws", headers: { connection: "Upgrade", upgrade: "websocket" } }).end();
    const answer = new Promise<string>((resolve) => {
      request.once("upgrade", (_response, socket, head) => {
        socket.unshift(head);
        resolve(text(socket));
      });
    });
    expect(await answer).toBe("hello /ws");
  });

  test("says in one line that the port is in use", async () => {
    const { port } = await open();
    const second = new OnePort({ handler: () => {} });
    const failure = second.listen({ host: "127.0.0.1", port });
    await expect(failure).rejects.toThrow(PortError);
    await expect(failure).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use by another process.`);
  });

  test("says in one line that the host is not its own", async () => {
    const failure = new OnePort({ handler: () => {} }).listen({ host: "192.0.2.1", port: 0 });
    await expect(failure).rejects.toThrow("192.0.2.1 is no address of this machine.");
  });

  test("cuts an HTTP/2 peer that has stopped answering", async () => {
    const { port } = await open({ pingIntervalMs: 100 });
    const socket = await connect(port);
    // Says hello and never anything again.
    socket.write(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS]));
    await expect(buffer(socket)).resolves.toBeDefined();
  });

  test("cuts an HTTP/2 peer that takes nothing any more and whose session has gone", async () => {
    const began = Promise.withResolvers<http2.Http2Session>();
    const { port } = await open({
      pingIntervalMs: 100,
      handler: (request, response) => {
        response.end(Buffer.alloc(64 * 1024 * 1024));
        if ("stream" in request && request.stream.session !== undefined) began.resolve(request.stream.session);
      },
    });
    const socket = await connect(port);
    socket.on("error", () => {});
    // Asks for a lot, and reads nothing of it.
    const mute = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        socket.write(chunk, done);
      },
    });
    const peer = http2.connect("http://a", {
      createConnection: () => mute,
      settings: { initialWindowSize: 2 ** 31 - 1 },
    });
    peer.on("error", () => {});
    peer.on("connect", () => peer.setLocalWindowSize(2 ** 31 - 1));
    peer.request({ ":path": "/" }).on("error", () => {});
    const session = await began.promise;
    session.destroy();
    await once(session, "close");
    peer.destroy();
    socket.destroy();
  });

  test("keeps an HTTP/2 peer that answers", async () => {
    const { port } = await open({ pingIntervalMs: 30 });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    for (let pings = 0; pings < 5; pings++) await once(session, "ping");
    expect(await get2(session, "/still-here")).toBe("HTTP/2.0 /still-here");
    session.destroy();
  });
});

describe("closing one port", () => {
  test("tells HTTP/2 peers to go away, lets their streams finish, and cuts nothing", async () => {
    const held = Promise.withResolvers<() => void>();
    const { onePort, port } = await open({
      handler: (_request, response) => held.resolve(() => response.end("done")),
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const goaway = once(session, "goaway");
    const answer = get2(session, "/slow");
    const finish = await held.promise;
    const closed = onePort.close(10_000);
    await goaway;
    finish();
    expect(await answer).toBe("done");
    expect(await closed).toBe(0);
  });

  test("lets requests of HTTP/1.1 finish, then closes their connections, also those kept alive", async () => {
    const held = Promise.withResolvers<() => void>();
    const { onePort, port } = await open({
      handler: (_request, response) => held.resolve(() => response.end("done")),
    });
    const agent = new http.Agent({ keepAlive: true });
    const answer = new Promise<string>((resolve) => {
      http.get({ port, agent }, (response) => resolve(text(response)));
    });
    const finish = await held.promise;
    const closed = onePort.close(10_000);
    finish();
    expect(await answer).toBe("done");
    expect(await closed).toBe(0);
    agent.destroy();
  });

  test("accepts no more connections", async () => {
    const { onePort, port } = await open();
    await onePort.close(1_000);
    await expect(connect(port)).rejects.toThrow("ECONNREFUSED");
  });

  test("cuts what is still open after the grace, and counts it", async () => {
    const arrived = Promise.withResolvers<void>();
    const { onePort, port } = await open({ handler: () => arrived.resolve() });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const request = session.request({ ":path": "/never" });
    request.on("error", () => {});
    await arrived.promise;
    expect(await onePort.close(50)).toBe(1);
  });

  test("does not wait for connections that have said nothing", async () => {
    const { onePort, port } = await open();
    const silent = await connect(port);
    const half = await connect(port);
    await sendInPieces(half, "PRI");
    const ended = Promise.all([buffer(silent).catch(() => null), buffer(half).catch(() => null)]);
    expect(await onePort.close(60_000)).toBe(0);
    await ended;
  });
});
