// A fake editor: connects as Zed does and says what a test tells it to.
//
// It has no opinions: what it hears is kept for the test to take, in order, and what it says are the frames it is given.
// One that behaves as Zed does is in fake-zed/. `playAgent` makes this one answer like an editor with a well-behaved agent.
import {
  encodeEvent,
  parseCommand,
  type SyncCommand,
  type SyncCommandType,
  type SyncEvent,
} from "@helix-zed/sync-protocol";
import { type EditorAddress, type EditorSocket, openEditorSocket, type SocketEnd } from "./fake-zed/editor-socket.ts";
import { eventOf } from "./fake-zed/event-of.ts";

const PATIENCE_MS = 10_000;

/** One connection of an editor. */
export class FakeEditor {
  readonly #socket: EditorSocket;
  readonly #untaken: SyncCommand[] = [];
  readonly #wakes = new Set<() => void>();
  #listener: ((command: SyncCommand) => void) | null = null;

  private constructor(socket: EditorSocket) {
    this.#socket = socket;
    socket.listen((frame) => this.#hear(frame));
  }

  /** Connects, and sends the one ping that Zed begins with. Rejects with a `ConnectionRefused`. */
  static async connect(address: EditorAddress): Promise<FakeEditor> {
    const editor = new FakeEditor(await openEditorSocket(address));
    editor.send(eventOf("ping", { timestamp: Math.floor(Date.now() / 1_000) }));
    return editor;
  }

  /** Resolves when the connection has ended, with the close code. */
  get closed(): Promise<SocketEnd> {
    return this.#socket.closed;
  }

  /** Sends an event. */
  send(event: SyncEvent): void {
    this.sendRaw(encodeEvent(event));
  }

  /** Sends any bytes as a text frame, or as a binary one. */
  sendRaw(data: string | Uint8Array): void {
    void this.#socket.send(data);
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
    return this.#socket.unsentBytes;
  }

  /** Hands every command to the listener instead of keeping it, also those that are kept already. */
  listen(listener: (command: SyncCommand) => void): void {
    this.#listener = listener;
    for (const command of this.#untaken.splice(0)) listener(command);
  }

  /** Hears the server's pings; they are answered in any case. */
  onPing(listener: () => void): void {
    this.#socket.onPing(listener);
  }

  /** Stops reading, as an editor that hangs. */
  pause(): void {
    this.#socket.pause();
  }

  /** Says goodbye. */
  close(): Promise<void> {
    return this.#socket.close();
  }

  /** Is gone, without a goodbye. */
  drop(): Promise<void> {
    return this.#socket.drop();
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
