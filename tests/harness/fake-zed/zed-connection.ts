// The connection of a fake Zed
//
// It is tried for ever: at once, then after 1, 2, 4 … 30 s; a connect that succeeds sets that back. After each connect
// comes one ping, before anything that has waited. What is to be said waits in a queue without a bound that outlives
// connections; it is written one event at a time, and the one that is being written when the socket dies is lost.
import { encodeEvent } from "@helix-zed/sync-protocol";
import { ConnectionRefused, type EditorAddress, type EditorSocket, openEditorSocket } from "./editor-socket.ts";
import { eventOf } from "./event-of.ts";
import type { ZedWorld } from "./zed-world.ts";

/** What a connection needs of its process. */
export interface ZedConnectionOptions extends EditorAddress {
  readonly world: ZedWorld;
  readonly hear: (frame: string) => void;
  /** It is connected once more. */
  readonly connected: (ended: AbortSignal) => void;
  readonly stir: () => void;
}

const FIRST_DELAY_MS = 1_000;
const DELAY_MS_MAX = 30_000;

/** Connects again and again, and says what is to be said. */
export class ZedConnection {
  /** How often it was connected, and how often it was not let in. */
  connects = 0;
  refusals = 0;
  /** Events that were in hand when a socket died. */
  lost = 0;
  readonly #options: ZedConnectionOptions;
  readonly #outbox: (string | Uint8Array)[] = [];
  readonly #ended = new AbortController();
  #socket: EditorSocket | null = null;
  #isConnecting = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> = Promise.resolve();
  #address: string;

  constructor(options: ZedConnectionOptions) {
    this.#options = options;
    this.#address = options.address;
  }

  get isOpen(): boolean {
    return this.#socket?.isOpen ?? false;
  }

  /** Whether it connects at this moment, or writes. */
  get isBusy(): boolean {
    return this.#isConnecting || (this.isOpen && this.#outbox.length > 0);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Says it as soon as everything before it is said. */
  send(frame: string | Uint8Array): void {
    this.#options.stir();
    this.#outbox.push(frame);
    this.#wake?.();
  }

  /** From now on it connects somewhere else. */
  moveTo(address: string): void {
    this.#address = address;
  }

  /** The socket dies, without a goodbye. */
  async drop(): Promise<void> {
    await this.#socket?.drop();
  }

  /** Stops reading, as an editor that hangs. */
  pause(): void {
    this.#socket?.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket?.resume();
  }

  /** Never connects again. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#socket?.drop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    for (let delayMs = FIRST_DELAY_MS; !signal.aborted;) {
      const socket = await this.#connect();
      if (socket !== null) {
        delayMs = FIRST_DELAY_MS;
        await this.#serve(socket);
      }
      if (!signal.aborted) await this.#options.world.sleep(delayMs, signal).catch(() => {});
      if (socket === null) delayMs = Math.min(delayMs * 2, DELAY_MS_MAX);
    }
  }

  async #connect(): Promise<EditorSocket | null> {
    this.#isConnecting = true;
    try {
      const socket = await openEditorSocket({ ...this.#options, address: this.#address }, this.#ended.signal);
      this.connects += 1;
      this.#options.stir();
      return socket;
    } catch (error) {
      if (error instanceof ConnectionRefused) this.refusals += 1;
      this.#options.stir();
      return null;
    } finally {
      this.#isConnecting = false;
    }
  }

  async #serve(socket: EditorSocket): Promise<void> {
    this.#socket = socket;
    const over = new AbortController();
    void socket.closed.then(() => over.abort());
    if (this.#ended.signal.aborted) void socket.drop();
    void socket.send(
      encodeEvent(eventOf("ping", { timestamp: Math.floor(this.#options.world.now().getTime() / 1_000) })),
    );
    socket.listen((frame) => this.#options.hear(frame));
    this.#options.connected(over.signal);
    await Promise.race([socket.closed, this.#write(socket)]);
    await socket.closed;
    this.#socket = null;
    this.#options.stir();
  }

  async #write(socket: EditorSocket): Promise<void> {
    while (socket.isOpen) {
      const frame = this.#outbox.shift();
      if (frame === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (!(await socket.send(frame))) this.lost += 1;
      this.#options.stir();
    }
  }
}
