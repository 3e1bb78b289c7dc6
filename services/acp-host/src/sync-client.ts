import type { Logger } from "pino";
import { WebSocket } from "ws";
import type { Outbox } from "./outbox.ts";
import { encodeEvent, frameBytesMax, type SyncEvent } from "@helix-zed/sync-protocol";
import type { Timer, World } from "./world.ts";

// The WebSocket to the server: Zed is the client, and so is this.
//
// It connects for ever, with pauses of 1, 2, 4 … 30 s that start again at 1 s
// after every success; a refused token is no different from a server that is
// down. The first frame of every connection is one `ping` event; then come the
// events that wait in the outbox.
//
// The protocol has no acknowledgements, but every WebSocket endpoint answers a
// WebSocket ping, and it can do so only after it has read all that was sent
// before. So a ping that carries the sequence number of the last event serves as
// a receipt for everything up to there (see outbox.ts), and one that stays
// unanswered shows that the peer is gone although the socket is not.

const backoffFirstMs = 1_000;
const backoffMaxMs = 30_000;
const handshakeTimeoutMs = 10_000;
const pongTimeoutMs = 30_000;
const idlePingMs = 30_000;
const bufferedBytesMax = 1024 * 1024;

export interface SyncClientOptions {
  /** The whole address, with `session_id`. */
  readonly url: string;
  /** Empty: no Authorization header at all. */
  readonly token: string;
  readonly skipTlsVerify: boolean;
  readonly world: World;
  readonly log: Logger;
  readonly outbox: Outbox;
  readonly onFrame: (text: string) => void;
  readonly onLink: (state: "up" | "down") => void;
}

/** Keeps one connection to the server and sends the outbox over it. */
export class SyncClient {
  readonly #options: SyncClientOptions;
  #socket: WebSocket | undefined;
  #retry: Timer | undefined;
  #watchdog: Timer | undefined;
  #pingUnderWay = false;
  #backoffMs = backoffFirstMs;
  #closed = false;

  constructor(options: SyncClientOptions) {
    this.#options = options;
  }

  /** Connects, now and again whenever the link is lost. */
  start(): void {
    if (this.#closed) return;
    const { url, token, skipTlsVerify } = this.#options;
    const socket = new WebSocket(url, {
      headers: token === "" ? {} : { Authorization: `Bearer ${token}` },
      rejectUnauthorized: !skipTlsVerify,
      handshakeTimeout: handshakeTimeoutMs,
      perMessageDeflate: false,
      maxPayload: frameBytesMax,
    });
    this.#socket = socket;
    socket.on("open", () => this.#opened(socket));
    socket.on("message", (data, isBinary) => {
      if (!isBinary && Buffer.isBuffer(data)) this.#options.onFrame(data.toString("utf8"));
    });
    socket.on("pong", (payload) => this.#ponged(payload.toString("latin1")));
    // An error is always followed by a close, which does the rest.
    socket.on("error", (error) => this.#options.log.warn({ reason: error.message }, "link failed"));
    socket.on("close", (code) => this.#lost(socket, code));
  }

  /** Sends an event as soon as the link allows; what was sent before arrives before. */
  send(event: SyncEvent): void {
    this.#options.outbox.push(event);
    this.#pump();
  }

  /** Gives the connection up for good; what was written before still arrives. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    const limit = this.#options.world.after(1_000, () => socket.terminate());
    socket.close();
    await closed;
    limit.cancel();
  }

  #opened(socket: WebSocket): void {
    const { world, log, onLink } = this.#options;
    log.info("link up");
    this.#backoffMs = backoffFirstMs;
    const timestamp = Math.floor(world.now() / 1000);
    socket.send(encodeEvent({ event_type: "ping", data: { timestamp } }));
    this.#pingSocket();
    this.#pump();
    onLink("up");
  }

  #pump(): void {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return;
    const { outbox } = this.#options;
    while (socket.bufferedAmount < bufferedBytesMax) {
      const event = outbox.next();
      if (event === undefined) break;
      socket.send(encodeEvent(event));
    }
    if (!this.#pingUnderWay && outbox.lastSent !== undefined) this.#pingSocket();
  }

  #pingSocket(): void {
    const { outbox, world, log } = this.#options;
    this.#pingUnderWay = true;
    this.#watchdog?.cancel();
    this.#watchdog = world.after(pongTimeoutMs, () => {
      log.warn("the server does not answer pings");
      this.#socket?.terminate();
    });
    this.#socket?.ping(String(outbox.lastSent ?? 0));
  }

  #ponged(payload: string): void {
    const { outbox, world } = this.#options;
    this.#pingUnderWay = false;
    this.#watchdog?.cancel();
    this.#watchdog = world.after(idlePingMs, () => this.#pingSocket());
    outbox.acknowledge(Number(payload));
    this.#pump();
  }

  #lost(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return;
    const { world, log, outbox, onLink } = this.#options;
    this.#socket = undefined;
    this.#watchdog?.cancel();
    this.#pingUnderWay = false;
    outbox.rewind();
    if (this.#closed) return;
    log.warn({ code, retryMs: this.#backoffMs }, "link down");
    onLink("down");
    this.#retry = world.after(this.#backoffMs, () => this.start());
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMaxMs);
  }
}
