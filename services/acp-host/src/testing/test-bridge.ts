import { once } from "node:events";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";

// Deliberately not the parser of the protocol's package: a test wants to see every key as it stands on the wire.
const frame = z.strictObject({ event_type: z.string(), data: z.record(z.string(), z.unknown()) });

/** An event as the host sent it, and over which connection, counted from 1. */
export type Received = Readonly<z.infer<typeof frame>> & { readonly link: number };

type Condition = (event: Received) => boolean;

/** The server side of the sync protocol, as small as a test needs it. */
export class TestBridge {
  readonly #server: WebSocketServer;
  readonly #waiting = new Set<() => void>();
  readonly events: Received[] = [];
  /** What each connection presented: its address and its Authorization header. */
  readonly links: { readonly path: string; readonly authorization: string | undefined }[] = [];
  #socket: WebSocket | undefined;
  #refusing = false;

  private constructor(autoPong: boolean) {
    const verifyClient = (): boolean => !this.#refusing;
    this.#server = new WebSocketServer({ port: 0, host: "127.0.0.1", verifyClient, autoPong });
    this.#server.on("connection", (socket, request) => {
      this.links.push({ path: request.url ?? "", authorization: request.headers.authorization });
      const link = this.links.length;
      this.#socket = socket;
      socket.on("message", (data: Buffer) => {
        this.events.push({ ...frame.parse(JSON.parse(data.toString("utf8"))), link });
        for (const check of this.#waiting) check();
      });
      for (const check of this.#waiting) check();
    });
  }

  /** Starts on a free port of the loopback. Without `autoPong` it acknowledges nothing. */
  static async start({ autoPong = true } = {}): Promise<TestBridge> {
    const bridge = new TestBridge(autoPong);
    await once(bridge.#server, "listening");
    return bridge;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the bridge does not listen");
    return `127.0.0.1:${address.port}`;
  }

  /** Sends a command. */
  send(type: string, data: object): void {
    this.#socket?.send(JSON.stringify({ type, data }));
  }

  sendRaw(text: string): void {
    this.#socket?.send(text);
  }

  /** The first event, already there or still to come, that meets the condition. */
  async waitFor(type: string, condition: Condition = () => true): Promise<Received> {
    const find = (): Received | undefined => this.events.find((event) => event.event_type === type && condition(event));
    await this.until(() => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`no ${type}`);
    return found;
  }

  /** Resolves when something that a received frame or a new link can change has become true. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** Events of one request, in order. */
  of(requestId: string): Received[] {
    return this.events.filter((event) => event.data["request_id"] === requestId);
  }

  /** Breaks the connection without a goodbye. */
  dropLink(): void {
    this.#socket?.terminate();
  }

  refuseLinks(refuse: boolean): void {
    this.#refusing = refuse;
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

/** The transcript that a receiver has after upserting the entries of a thread, in the order they appeared. */
export function transcript(events: readonly Received[], threadId: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const { event_type: type, data } of events) {
    if (type !== "message_added" || data["acp_thread_id"] !== threadId) continue;
    entries.set(String(data["message_id"]), String(data["content"]));
  }
  return entries;
}
