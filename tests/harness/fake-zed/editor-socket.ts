import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { syncPath } from "@helix-zed/sync-protocol";
import { WebSocket } from "ws";
import { mustBeGoneAfterFile } from "../leaks.ts";

/** Where an editor connects, and as what. */
export interface EditorAddress {
  /** `127.0.0.1:8082`, as in ZED_HELIX_URL. */
  readonly address: string;
  readonly instanceId: string;
  /** Empty: no Authorization header, as Zed does it. */
  readonly token: string;
}

/** The server did not let it in. */
export class ConnectionRefused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`refused with ${status}: ${body}`);
    this.name = "ConnectionRefused";
    this.status = status;
    this.body = body;
  }
}

/** How a connection ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket as an editor opens it, until it gives up. Rejects with {@link ConnectionRefused}. */
export async function openEditorSocket(
  { address, instanceId, token }: EditorAddress,
  given: AbortSignal = new AbortController().signal,
): Promise<EditorSocket> {
  const socket = new WebSocket(`ws://${address}${syncPath}?session_id=${instanceId}`, {
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const opened = new EditorSocket(socket);
  const refused = once(socket, "unexpected-response").then(async ([, response]: IncomingMessage[]) => {
    const refusal = new ConnectionRefused(response?.statusCode ?? 0, await textOf(response));
    socket.terminate();
    throw refusal;
  });
  refused.catch(() => {});
  const giveUp = (): void => socket.terminate();
  given.addEventListener("abort", giveUp, { once: true });
  await Promise.race([once(socket, "open"), refused]).finally(() => given.removeEventListener("abort", giveUp));
  return opened;
}

/** One connection of an editor, without an opinion. */
export class EditorSocket {
  /** Resolves when it has ended. */
  readonly closed: Promise<SocketEnd>;
  readonly #socket: WebSocket;
  #listener: ((frame: string) => void) | null = null;
  #unheard: string[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    // Zed does not read binary frames.
    socket.on("message", (data, isBinary) => {
      if (!isBinary && Buffer.isBuffer(data)) this.#hear(data.toString("utf8"));
    });
    // The end is told by `closed`; a refusal by who opens it.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    mustBeGoneAfterFile({
      remains: async () => (socket.readyState === WebSocket.CLOSED ? undefined : "a fake editor that is connected"),
      discard: async () => socket.terminate(),
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** How much was sent that has not left it yet. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Sends a text frame, or a binary one; resolves with whether it has left. */
  send(frame: string | Uint8Array): Promise<boolean> {
    return new Promise((resolve) =>
      this.#socket.send(frame, (error) => resolve(error === undefined || error === null)),
    );
  }

  /** Hands every text frame to the listener, also those that have come already. */
  listen(listener: (frame: string) => void): void {
    this.#listener = listener;
    for (const frame of this.#unheard.splice(0)) listener(frame);
  }

  /** Hears the server's pings; they are answered in any case. */
  onPing(listener: () => void): void {
    this.#socket.on("ping", listener);
  }

  /** Stops reading, as an editor that hangs. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  /** Is gone, without a goodbye. */
  async drop(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  #hear(frame: string): void {
    if (this.#listener === null) this.#unheard.push(frame);
    else this.#listener(frame);
  }
}

async function textOf(response: IncomingMessage | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response ?? []) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
