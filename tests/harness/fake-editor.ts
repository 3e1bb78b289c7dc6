// A fake editor: connects as Zed does and says what a test tells it to.
//
// It has no opinions: what it hears is kept for the test to take, in order, and what it says are the frames it is given.
// Every frame that it sends goes through `passOn`, which may deliver it now, later, twice or never: that is how a test
// drops, holds and duplicates. `playAgent` makes it answer like an editor with a well-behaved agent.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import {
  encodeEvent,
  parseCommand,
  type SyncCommand,
  type SyncCommandType,
  type SyncEvent,
  type SyncEventType,
  syncPath,
} from "@helix-zed/sync-protocol";
import { WebSocket } from "ws";
import { mustBeGoneAfterFile } from "./leaks.ts";

/** Where it connects, and as what. */
export interface FakeEditorOptions {
  /** `127.0.0.1:8082`, as in ZED_HELIX_URL. */
  readonly address: string;
  readonly instanceId: string;
  /** Empty: no Authorization header, as Zed does it. */
  readonly token: string;
  /** Decides about each frame on its way out; calls `deliver` as often as it is to arrive. Default: once, now. */
  readonly passOn?: (event: SyncEvent, deliver: () => void) => void;
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

const PATIENCE_MS = 10_000;

/** One connection of an editor. */
export class FakeEditor {
  /** Resolves when the connection has ended, with the close code. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #options: FakeEditorOptions;
  readonly #untaken: SyncCommand[] = [];
  readonly #wakes = new Set<() => void>();
  #listener: ((command: SyncCommand) => void) | null = null;

  private constructor(options: FakeEditorOptions) {
    const { address, instanceId, token } = options;
    this.#options = options;
    this.#socket = new WebSocket(`ws://${address}${syncPath}?session_id=${instanceId}`, {
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    this.#socket.on("message", (data) => this.#hear(Buffer.isBuffer(data) ? data.toString("utf8") : ""));
    // The end is told by `closed`; a refusal by `connect`.
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    mustBeGoneAfterFile({
      remains: async () =>
        this.#socket.readyState === WebSocket.CLOSED ? undefined : "a fake editor that is connected",
      discard: async () => this.#socket.terminate(),
    });
  }

  /** Connects, and sends the one ping that Zed begins with. Rejects with {@link ConnectionRefused}. */
  static async connect(options: FakeEditorOptions): Promise<FakeEditor> {
    const editor = new FakeEditor(options);
    await editor.#opened();
    editor.send({ event_type: "ping", data: { timestamp: Math.floor(Date.now() / 1_000) } });
    return editor;
  }

  /** Sends an event, as far as `passOn` lets it. */
  send(event: SyncEvent): void {
    const deliver = (): void => this.sendRaw(encodeEvent(event));
    const { passOn } = this.#options;
    if (passOn === undefined) deliver();
    else passOn(event, deliver);
  }

  /** Sends any bytes as a text frame, or as a binary one. */
  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** The next command that nobody has taken, of this type if one is named; those before it are left for others. */
  async take<Type extends SyncCommandType>(type: Type): Promise<SyncCommand<Type>> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.#untaken.find((command): command is SyncCommand<Type> => command.type === type);
      if (found !== undefined) {
        this.#untaken.splice(this.#untaken.indexOf(found), 1);
        return found;
      }
      await this.#nextFrame(type, deadline);
    }
  }

  /** What it has heard and nobody has taken. */
  get untaken(): readonly SyncCommand[] {
    return this.#untaken;
  }

  /** How much it has said that has not left it yet. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Hands every command to the listener instead of keeping it, also those that are kept already. */
  listen(listener: (command: SyncCommand) => void): void {
    this.#listener = listener;
    for (const command of this.#untaken.splice(0)) listener(command);
  }

  /** Hears the server's pings; they are answered in any case. */
  onPing(listener: () => void): void {
    this.#socket.on("ping", listener);
  }

  /** Stops reading, as an editor that hangs. */
  pause(): void {
    this.#socket.pause();
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

  async #opened(): Promise<void> {
    const refused = once(this.#socket, "unexpected-response").then(async ([, response]: IncomingMessage[]) => {
      const refusal = new ConnectionRefused(response?.statusCode ?? 0, await textOf(response));
      this.#socket.terminate();
      throw refusal;
    });
    await Promise.race([once(this.#socket, "open"), refused]);
    refused.catch(() => {});
  }

  #hear(frame: string): void {
    const parsed = parseCommand(frame);
    if (parsed.kind !== "command") throw new Error(`the bridge sent what no editor understands: ${frame}`);
    if (this.#listener !== null) return this.#listener(parsed.command);
    this.#untaken.push(parsed.command);
    for (const wake of this.#wakes) wake();
  }

  #nextFrame(type: SyncCommandType, deadline: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#wakes.delete(wake);
        resolve();
      };
      this.#wakes.add(wake);
      deadline.addEventListener("abort", () => {
        this.#wakes.delete(wake);
        const heard = this.#untaken.map((command) => command.type).join(", ");
        reject(new Error(`no ${type} came within ${PATIENCE_MS} ms; untaken are: ${heard === "" ? "none" : heard}`));
      });
    });
  }
}

/** An event with everything that a test does not care about filled in. */
export function eventOf<Type extends SyncEventType>(
  event_type: Type,
  data: Partial<SyncEvent<Type>["data"]>,
): SyncEvent<Type> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the defaults are complete, and `data` is of this type
  return { event_type, data: { ...blank[event_type], ...data } } as SyncEvent<Type>;
}

const blank: { readonly [Type in SyncEventType]: SyncEvent<Type>["data"] } = {
  ping: { timestamp: 0 },
  agent_ready: { agent_name: "zed-connection", thread_id: null },
  thread_created: { acp_thread_id: "thread-1", request_id: "" },
  user_created_thread: { acp_thread_id: "thread-1", title: null },
  thread_title_changed: { acp_thread_id: "thread-1", title: "" },
  message_added: {
    acp_thread_id: "thread-1",
    message_id: "1",
    role: "assistant",
    content: "",
    request_id: "",
    entry_type: "text",
    tool_name: "",
    tool_status: "",
    timestamp: 0,
  },
  message_completed: {
    acp_thread_id: "thread-1",
    message_id: "0",
    request_id: "",
    agent_name: "zed-agent",
    usage: null,
  },
  chat_response_error: { request_id: "", error: "" },
  thread_load_error: { acp_thread_id: "thread-1", request_id: "", error: "" },
  turn_cancelled: { request_id: "", status: "cancelled" },
  ui_state_response: {
    query_id: "",
    active_view: "headless",
    thread_id: null,
    entry_count: 0,
    mcp_servers: {},
    active_model: null,
  },
};

/** Makes the editor answer: each message in the thread that it belongs to, at once and to its end. */
export function playAgent(editor: FakeEditor, answer: (message: string) => string): void {
  const entryCounts = new Map<string, number>();
  const ready = (thread_id: string): void =>
    editor.send(eventOf("agent_ready", { agent_name: "zed-agent", thread_id }));
  editor.listen((command) => {
    if (command.type === "open_thread") ready(command.data.acp_thread_id);
    if (command.type === "cancel_current_turn") {
      editor.send(eventOf("turn_cancelled", { request_id: command.data.request_id, status: "noop" }));
    }
    if (command.type !== "chat_message") return;
    const { request_id, message, acp_thread_id: known } = command.data;
    const acp_thread_id = known ?? `thread-of-${request_id}`;
    if (known === null) {
      ready(acp_thread_id);
      editor.send(eventOf("thread_created", { acp_thread_id, request_id }));
    }
    // The user's entry has an index as well.
    const index = (entryCounts.get(acp_thread_id) ?? 0) + 1;
    entryCounts.set(acp_thread_id, index + 1);
    const content = answer(message);
    editor.send(eventOf("message_added", { acp_thread_id, request_id, message_id: String(index), content }));
    editor.send(eventOf("message_completed", { acp_thread_id, request_id }));
  });
}

async function textOf(response: IncomingMessage | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response ?? []) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
