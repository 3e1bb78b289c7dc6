// One port
//
// One cleartext TCP port for HTTP/1.1 and for HTTP/2 with prior knowledge (h2c): browsers, curl and WebSockets speak the
// former, gRPC clients the latter. Node has a server for each and, without TLS, none for both. So we accept the
// connection ourselves, look at its first bytes, put them back, and hand the socket to the server it is meant for.
//
//   accept ──▶ sniff ──┬── differs from the preface at some byte ──▶ HTTP/1.1
//                      ├── all 24 bytes of the preface            ──▶ HTTP/2
//                      └── silent for too long, or gone           ──▶ closed
//
// "PRI" is no method of HTTP/1.1, so a connection that begins like the preface must be given time to finish it, in as
// many pieces as it likes. What was read stays in a variable until then: putting it back and waiting for "readable" again
// would find it readable at once, for ever.
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import type { NodeHandlerFn } from "./node-handler.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Takes over the connection of an HTTP/1.1 request that asks for a WebSocket. */
export type UpgradeListener = (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What a port does with what arrives at it. */
export interface OnePortOptions {
  readonly handler: NodeHandlerFn;
  /** Is offered each request over HTTP/2 before anything is made of it; `false` leaves it to the handler. */
  readonly takeStream?: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => boolean;
  /** Without it, requests for a WebSocket are answered like any other. */
  readonly upgrade?: UpgradeListener;
  /** How long a connection may take to say which protocol it speaks: 10 s. */
  readonly sniffTimeoutMs?: number;
  /** How often an HTTP/2 peer is asked whether it is still there; one that has not answered by the next time is cut: 30 s. */
  readonly pingIntervalMs?: number;
}

/** A port that could not be opened, said in one line. */
export class PortError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "PortError";
  }
}

/** A server for both protocols on one TCP port. */
export class OnePort {
  readonly #server: net.Server;
  readonly #h1: http.Server;
  readonly #h2: http2.Http2Server;
  readonly #sockets = new Set<net.Socket>();
  /** Those of the sockets that have not said yet what they speak. */
  readonly #undecided = new Set<net.Socket>();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  readonly #sniffTimeoutMs: number;
  readonly #pingIntervalMs: number;

  constructor({ handler, takeStream, upgrade, sniffTimeoutMs = 10_000, pingIntervalMs = 30_000 }: OnePortOptions) {
    this.#sniffTimeoutMs = sniffTimeoutMs;
    this.#pingIntervalMs = pingIntervalMs;
    this.#h1 = createHttp1(handler, upgrade);
    this.#h2 = createHttp2(handler, takeStream);
    this.#h2.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    // A peer that breaks the protocol loses its session; there is nobody to tell.
    this.#h2.on("sessionError", () => {});
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: pingIntervalMs };
    this.#server = net.createServer(options, (socket) => this.#accept(socket));
  }

  /** Opens the port and resolves with its number; rejects with a {@link PortError}. */
  listen({ host, port }: { host: string; port: number }): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => reject(portError(error, host, port));
      this.#server.once("error", fail);
      this.#server.listen(port, host, () => {
        this.#server.off("error", fail);
        const address = this.#server.address();
        resolve(address !== null && typeof address === "object" ? address.port : port);
      });
    });
  }

  /**
   * Accepts no more connections, says GOAWAY or `Connection: close` on those that are open, and resolves when the last
   * has ended. What is still open after `graceMs` is cut; resolves with the number of those.
   */
  close(graceMs: number): Promise<number> {
    return new Promise((resolve) => {
      let cut = 0;
      const timer = setTimeout(() => {
        cut = this.#sockets.size;
        for (const socket of this.#sockets) socket.destroy();
      }, graceMs);
      // HTTP/1.1 has no GOAWAY: a connection that is kept alive closes when its request is done, and nobody says when.
      const sweep = setInterval(() => this.#h1.closeIdleConnections(), 20);
      this.#server.close(() => {
        clearTimeout(timer);
        clearInterval(sweep);
        this.#h1.close();
        resolve(cut);
      });
      // Browsers open connections in advance and say nothing on them.
      for (const socket of this.#undecided) socket.destroy();
      for (const session of this.#sessions) session.close();
      this.#h1.closeIdleConnections();
    });
  }

  #accept(socket: net.Socket): void {
    this.#sockets.add(socket);
    this.#undecided.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#undecided.delete(socket);
    });
    sniff(socket, this.#sniffTimeoutMs, (isHttp2) => {
      this.#undecided.delete(socket);
      if (isHttp2) this.#beginHttp2(socket);
      else this.#h1.emit("connection", socket);
    });
  }

  #beginHttp2(socket: net.Socket): void {
    const watch = (session: http2.ServerHttp2Session): void => keepAlive(session, socket, this.#pingIntervalMs);
    // The session comes at once, or never.
    this.#h2.once("session", watch);
    this.#h2.emit("connection", socket);
    this.#h2.off("session", watch);
  }
}

function sniff(socket: net.Socket, timeoutMs: number, found: (isHttp2: boolean) => void): void {
  let head = Buffer.alloc(0);
  const giveUp = (): void => {
    socket.destroy();
  };
  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    head = Buffer.concat([head, chunk]);
    const length = Math.min(head.length, PREFACE.length);
    const matches = PREFACE.compare(head, 0, length, 0, length) === 0;
    if (matches && length < PREFACE.length) return;
    socket.off("readable", onReadable);
    socket.off("error", giveUp);
    socket.off("end", giveUp);
    socket.setTimeout(0);
    socket.off("timeout", giveUp);
    socket.unshift(head);
    found(matches);
  };
  socket.on("error", giveUp);
  socket.on("end", giveUp);
  socket.setTimeout(timeoutMs, giveUp);
  socket.on("readable", onReadable);
}

function createHttp1(handler: NodeHandlerFn, upgrade: UpgradeListener | undefined): http.Server {
  const server = http.createServer({ keepAliveTimeout: 65_000, shouldUpgradeCallback: asksForWebSocket }, handler);
  if (upgrade !== undefined) server.on("upgrade", upgrade);
  // It never listens itself, and would not watch its connections otherwise: no timeouts, and none is ever idle.
  server.emit("listening");
  return server;
}

function createHttp2(handler: NodeHandlerFn, takeStream: OnePortOptions["takeStream"]): http2.Http2Server {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 1_000 } });
  // Never listens: it makes requests and responses of streams that are not taken, as Node does.
  const requests = http2.createServer({}, handler);
  server.on("stream", (stream, headers, flags, rawHeaders) => {
    if (takeStream?.(stream, headers) !== true) requests.emit("stream", stream, headers, flags, rawHeaders);
  });
  return server;
}

function keepAlive(session: http2.ServerHttp2Session, socket: net.Socket, intervalMs: number): void {
  let answered = true;
  const timer = setInterval(() => {
    // A session that was destroyed closes when what it had begun to write is taken: of a peer that froze, never.
    if (!answered || session.destroyed) {
      session.destroy();
      socket.destroy();
      return;
    }
    answered = false;
    session.ping(() => (answered = true));
  }, intervalMs);
  timer.unref();
  session.once("close", () => clearInterval(timer));
}

function asksForWebSocket(request: http.IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function portError(error: NodeJS.ErrnoException, host: string, port: number): PortError {
  const { code = "", message } = error;
  return new PortError(describe(code, message, host, port), error);
}

function describe(code: string, message: string, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is in use by another process. Stop it or choose another port.`;
    case "EACCES":
      return `This account may not listen on port ${port}. Choose one of 1024 or above.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} is no address of this machine.`;
    default:
      return `Cannot listen on ${host}:${port}: ${message}`;
  }
}
