// A fake Zed
//
// One life of one process of the editor, as the sync protocol's page describes it: what it keeps, in which order it does
// things, and what it does not say. Faults are set from outside; without any it behaves as the real one does, which is
// not the same as behaving well.
//
//   chat_message, simulate_user_input ──▶ one queue ──▶ a new thread: made beside the queue
//                                                  └──▶ a known one: loaded if need be, and the whole turn waited for
//   interrupt ──▶ stops the thread's turn at once, ahead of the queue; its message waits like any other
//   open_thread, cancel_current_turn, query_ui_state ──▶ at once, beside the queue
//
// It recognises no request id that it has seen: the same message twice makes two threads or two turns. The map from
// request ids to threads keeps every id, and gets one when its message is begun, not when it comes.
import { encodeEvent, parseCommand, type SyncCommand, type SyncEvent } from "@helix-zed/sync-protocol";
import { mustBeGoneAfterFile } from "../leaks.ts";
import { type AgentScript, echoes } from "./agent-plan.ts";
import type { EditorAddress } from "./editor-socket.ts";
import type { EventFault } from "./event-faults.ts";
import { eventOf } from "./event-of.ts";
import { LoadLock } from "./load-lock.ts";
import { ThreadSubscription } from "./thread-subscription.ts";
import { ZedConnection } from "./zed-connection.ts";
import { ZedDataFolder } from "./zed-data-folder.ts";
import { ZedThread, type ThreadSurroundings } from "./zed-thread.ts";
import type { ZedWorld } from "./zed-world.ts";

/** What a fake Zed is started with. */
export interface FakeZedOptions extends EditorAddress {
  readonly world: ZedWorld;
  /** Kept from life to life of the same editor. */
  readonly data?: ZedDataFolder;
  readonly script?: AgentScript;
  readonly faults?: readonly EventFault[];
  /** With a window: titles, and threads that a person begins. */
  readonly headless?: boolean;
  /** An agent that is told to stop before it has said anything never says anything again in that thread. */
  readonly wedgesWhenStoppedEarly?: boolean;
  /** What is in a thread is told once more when it was loaded. */
  readonly replaysWhenLoaded?: boolean;
  /** How long a load takes. */
  readonly loadMs?: number;
  /** How long it takes until a new thread is there. */
  readonly creationMs?: number;
  /** Agents that cannot be started. Zed says so of its own only; of others it says nothing. */
  readonly absentAgents?: readonly string[];
  /** What it says instead of loading a thread. */
  readonly loadError?: (threadId: string) => string | null;
}

type Chat = SyncCommand<"chat_message" | "simulate_user_input">;

const READY_TIMER_MS = 5_000;
const OWN_AGENT = "zed-agent";

/** One life of an editor's process. */
export class FakeZed {
  /** Everything that was heard, in order. */
  readonly heard: SyncCommand[] = [];
  /** The frames themselves. */
  readonly frames: string[] = [];
  /** Everything that it meant to say, in order, before faults. */
  readonly meant: SyncEvent[] = [];
  readonly faults: EventFault[];
  readonly data: ZedDataFolder;
  /** Counts whatever happens in it: while it does not rise, nothing does. */
  stirs = 0;
  readonly #options: FakeZedOptions;
  readonly #connection: ZedConnection;
  readonly #life: number;
  readonly #lock: LoadLock;
  readonly #threads = new Map<string, ZedThread>();
  readonly #dispatched = new Map<string, string>();
  readonly #threadOfRequest = new Map<string, string>();
  /** Threads that a person has begun, with their titles, until the first word is said in them. */
  readonly #drafts = new Map<string, string | null>();
  readonly #queue: Chat[] = [];
  readonly #holds = new Map<string, PromiseWithResolvers<void>>();
  #isWorking = false;
  #isOver = false;
  #openSeen = false;

  constructor(options: FakeZedOptions) {
    this.#options = options;
    this.faults = [...(options.faults ?? [])];
    this.data = options.data ?? new ZedDataFolder();
    this.#life = this.data.beginLife();
    this.#lock = new LoadLock(options.world);
    const stir = (): unknown => this.stirs++;
    const connected = (ended: AbortSignal): void => this.#connected(ended);
    this.#connection = new ZedConnection({ ...options, hear: (frame) => this.#hear(frame), connected, stir });
    mustBeGoneAfterFile({
      remains: async () => (this.#isOver ? undefined : "a fake Zed that runs"),
      discard: () => this.quit(),
    });
  }

  /** Starts a process and lets it connect. */
  static start(options: FakeZedOptions): FakeZed {
    const zed = new FakeZed(options);
    zed.#connection.start();
    return zed;
  }

  /** Its connection, to ill-treat it. */
  get connection(): Pick<
    ZedConnection,
    "connects" | "refusals" | "lost" | "isOpen" | "drop" | "pause" | "resume" | "moveTo"
  > {
    return this.#connection;
  }

  /** Whether it is not connecting, and has nothing to say that could leave it now. */
  get isIdle(): boolean {
    return !this.#connection.isBusy;
  }

  /** What it has heard of this type. */
  heardOf<Type extends SyncCommand["type"]>(type: Type): SyncCommand<Type>[] {
    return this.heard.filter((command): command is SyncCommand<Type> => command.type === type);
  }

  /** The process ends, and with it what it had in memory; what is in its data folder stays. */
  async quit(): Promise<void> {
    this.#isOver = true;
    for (const thread of this.#threads.values()) thread.abandon();
    await this.#connection.end();
  }

  /** Lets the agents go on that hold at this name, now and later. */
  release(name: string): void {
    this.#holdOf(name).resolve();
  }

  /** Says whatever a test wants, past all faults. */
  sendRaw(frame: string | Uint8Array): void {
    this.#connection.send(frame);
  }

  /** Says an event of its own accord, faults included. */
  say(event: SyncEvent): void {
    if (this.#isOver) return;
    this.meant.push(event);
    for (const { event: said, afterMs = 0, frame = encodeEvent(said) } of this.#afterFaults(event)) {
      if (afterMs === 0) this.#connection.send(frame);
      else void this.#options.world.sleep(afterMs).then(() => this.#connection.send(frame));
    }
  }

  /** The process of its own agent is replaced while nothing runs: its threads are on the disk only. */
  replaceAgent(): void {
    this.#bury(OWN_AGENT);
  }

  /** A person types in a thread, or begins one with it; gives the thread's id. */
  type(message: string, { threadId, title = null }: { threadId?: string; title?: string | null } = {}): string {
    const thread = threadId === undefined ? this.#begin(OWN_AGENT, "") : this.#threads.get(threadId);
    if (thread === undefined) throw new Error(`The thread ${threadId} is not open.`);
    if (threadId === undefined && this.#options.headless === false) this.#drafts.set(thread.id, title);
    void thread.send({ message, requestId: "", external: false });
    return thread.id;
  }

  /** A person begins a thread and says nothing in it. */
  draft(): void {
    this.#drafts.set(this.#begin(OWN_AGENT, "").id, null);
  }

  /** A thread gets another title, which is told by windows only. */
  retitle(threadId: string, title: string): void {
    if (this.#options.headless === false) this.say(eventOf("thread_title_changed", { acp_thread_id: threadId, title }));
  }

  #afterFaults(event: SyncEvent) {
    const start = [{ event }] as readonly { event: SyncEvent; afterMs?: number; frame?: string }[];
    return this.faults.reduce(
      (deliveries, fault) =>
        deliveries.flatMap((earlier) => fault(earlier.event).map((delivery) => ({ ...earlier, ...delivery }))),
      start,
    );
  }

  #connected(ended: AbortSignal): void {
    this.#openSeen = false;
    void this.#sayReadyInTime(ended);
  }

  async #sayReadyInTime(ended: AbortSignal): Promise<void> {
    await this.#options.world.sleep(READY_TIMER_MS, ended).catch(() => {});
    if (!this.#openSeen && !ended.aborted) this.#ready("zed-connection", null);
  }

  #hear(frame: string): void {
    this.stirs++;
    this.frames.push(frame);
    const parsed = parseCommand(frame);
    // What it does not understand, and what a user is to have said, it drops without a word.
    if (parsed.kind !== "command" || this.#isOver) return;
    const { command } = parsed;
    this.heard.push(command);
    if (command.type === "chat_message" && command.data.interrupt) this.#stop(command.data.acp_thread_id ?? "");
    if (command.type === "chat_message" || command.type === "simulate_user_input") this.#enqueue(command);
    else if (command.type === "open_thread") this.#openSoon(command.data);
    else if (command.type === "cancel_current_turn") this.#cancel(command.data.request_id || "unknown");
    else if (command.type === "query_ui_state") {
      this.say(eventOf("ui_state_response", { query_id: command.data.query_id }));
    }
  }

  /** That it was told to is enough for the timer: it need not succeed. */
  #openSoon(open: SyncCommand<"open_thread">["data"]): void {
    this.#openSeen = true;
    void this.#open(open);
  }

  #enqueue(chat: Chat): void {
    this.#queue.push(chat);
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let chat = this.#queue.shift(); chat !== undefined && !this.#isOver; chat = this.#queue.shift()) {
      if (chat.data.acp_thread_id === null) void this.#create(chat);
      else await this.#followUp(chat, chat.data.acp_thread_id);
      this.stirs++;
    }
    this.#isWorking = false;
  }

  async #create({ type, data: { message, request_id, agent_name } }: Chat): Promise<void> {
    const agentName = agent_name ?? OWN_AGENT;
    if (this.#options.creationMs !== undefined) await this.#options.world.sleep(this.#options.creationMs);
    if (agentName === "" || this.#options.absentAgents?.includes(agentName)) {
      const error = "The configured model is not available";
      if (agentName === OWN_AGENT) this.say(eventOf("chat_response_error", { request_id, error }));
      return;
    }
    const thread = this.#begin(agentName, request_id);
    this.#note(request_id, thread.id);
    this.#ready(agentName, thread.id);
    this.say(eventOf("thread_created", { acp_thread_id: thread.id, request_id }));
    await thread.send({ message, requestId: request_id, external: type === "chat_message" });
  }

  async #followUp({ type, data: { message, request_id, agent_name } }: Chat, threadId: string): Promise<void> {
    if (type === "chat_message") this.#note(request_id, threadId);
    let thread = this.#threads.get(threadId);
    if (thread === undefined) {
      try {
        thread = await this.#load(threadId);
      } catch (error) {
        return this.#failLoad(threadId, request_id, error);
      }
      this.#ready(agent_name ?? thread.agentName, threadId);
    }
    const external = type === "chat_message";
    await thread.send({ message, requestId: external ? request_id : "", external });
  }

  async #open({ acp_thread_id: threadId, request_id, agent_name }: SyncCommand<"open_thread">["data"]): Promise<void> {
    let thread = this.#threads.get(threadId);
    if (thread === undefined) {
      try {
        thread = await this.#load(threadId);
      } catch (error) {
        if (request_id !== "") this.#failLoad(threadId, request_id, error);
        return;
      }
    }
    this.#ready(agent_name ?? thread.agentName, threadId);
  }

  #cancel(requestId: string): void {
    const threadId = this.#threadOfRequest.get(requestId);
    const isGenerating = threadId !== undefined && this.#threads.get(threadId)?.isGenerating === true;
    const status = isGenerating ? "cancelled" : "noop";
    this.say(eventOf("turn_cancelled", { request_id: requestId, status }));
    if (isGenerating) this.#stop(threadId);
  }

  #stop(threadId: string): void {
    this.#threads.get(threadId)?.cancel({ wedges: this.#options.wedgesWhenStoppedEarly ?? false });
  }

  #begin(agentName: string, requestId: string): ZedThread {
    const stored = { id: this.data.nextThreadId(), agentName, entries: [] };
    this.data.threads.set(stored.id, stored);
    const thread = new ZedThread(stored, this.#surroundings());
    this.#threads.set(thread.id, thread);
    this.#subscribe(thread, requestId);
    return thread;
  }

  /** Brings a thread from the disk into memory; after that it is subscribed, and what is in it may be told again. */
  #load(threadId: string): Promise<ZedThread> {
    return this.#lock.hold(async () => {
      const inMemory = this.#threads.get(threadId);
      if (inMemory !== undefined) return inMemory;
      if (this.#options.loadMs !== undefined) await this.#options.world.sleep(this.#options.loadMs);
      const refusal = this.#options.loadError?.(threadId) ?? null;
      if (refusal !== null) throw new Error(refusal);
      const stored = this.data.threads.get(threadId);
      if (stored === undefined) throw new Error(`no thread found with ID: SessionId("${threadId}")`);
      const thread = new ZedThread(stored, this.#surroundings());
      this.#threads.set(threadId, thread);
      const subscription = this.#subscribe(thread, "");
      if (this.#options.replaysWhenLoaded ?? true) subscription.replay();
      return thread;
    });
  }

  #failLoad(acp_thread_id: string, request_id: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.say(eventOf("thread_load_error", { acp_thread_id, request_id, error: `Failed to load thread: ${why}` }));
  }

  #subscribe(thread: ZedThread, requestId: string): ThreadSubscription {
    return new ThreadSubscription({
      thread,
      requestId,
      world: this.#options.world,
      dispatched: () => this.#dispatched.get(thread.id) ?? "",
      send: (event) => this.say(event),
      typed: () => this.#announce(thread.id),
    });
  }

  #announce(threadId: string): void {
    const title = this.#drafts.get(threadId);
    if (title === undefined) return;
    this.#drafts.delete(threadId);
    this.say(eventOf("user_created_thread", { acp_thread_id: threadId, title }));
  }

  #note(requestId: string, threadId: string): void {
    this.#dispatched.set(threadId, requestId);
    this.#threadOfRequest.set(requestId, threadId);
  }

  #ready(agent_name: string, thread_id: string | null): void {
    this.say(eventOf("agent_ready", { agent_name, thread_id }));
  }

  #surroundings(): ThreadSurroundings {
    const { world, script = echoes } = this.#options;
    return {
      world,
      script,
      data: this.data,
      life: this.#life,
      held: (name) => this.#holdOf(name).promise,
      agentDied: (agentName) => this.#bury(agentName),
      stir: () => this.stirs++,
    };
  }

  /** The agent's process is gone: its threads have to be loaded by the next one. */
  #bury(agentName: string): void {
    for (const [id, thread] of this.#threads) {
      if (thread.agentName !== agentName) continue;
      thread.fail("The agent exited mid-turn or hit max tokens");
      thread.abandon();
      this.#threads.delete(id);
    }
  }

  #holdOf(name: string): PromiseWithResolvers<void> {
    const known = this.#holds.get(name) ?? Promise.withResolvers<void>();
    this.#holds.set(name, known);
    return known;
  }
}
