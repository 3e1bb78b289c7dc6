import { parseCommand, type SyncCommand, type SyncEvent } from "@helix-zed/sync-protocol";
import type { Logger } from "pino";
import { CommandQueue } from "./command-queue.ts";
import { describeError } from "./failure.ts";
import type { PermissionDesk } from "./permission-desk.ts";
import { Requests } from "./requests.ts";
import { settingsIn } from "./session-settings.ts";
import type { ThreadSession } from "./thread-session.ts";
import type { Threads } from "./threads.ts";
import type { Timer, World } from "./world.ts";

// What the server asks, and in which order it is done.
//
// - A follow-up holds back what else is said in its thread until its turn has
//   ended. In Zed it holds back all threads: an agent that waits there for another
//   session in the same folder keeps that one from beginning.
// - open_thread, cancel_current_turn and query_ui_state overtake the queue, and so
//   does the cancelling half of an interrupt.
// - A request that came before is not run again (requests.ts); Zed would.
// - A cancel names a request; if the thread of that request generates, whatever
//   runs there is cancelled. A request that still waits in the queue is not known
//   yet: the answer is noop, and it runs afterwards.
// - Zed says nothing when an agent cannot be started or opens no session. Here
//   every request gets an answer.
//
// Readiness: 5 s after each connect, unless an open_thread arrived, an agent_ready
// without a thread goes out. A host that has no thread to restore says so as soon
// as it is connected, as Zed's panel does when it has loaded.

export interface HostOptions {
  readonly threads: Threads;
  readonly desk: PermissionDesk;
  /** Whether threads of an earlier run are known. */
  readonly hasThreads: boolean;
  readonly world: World;
  readonly log: Logger;
  readonly send: (event: SyncEvent) => void;
  readonly readyAfterMs: number;
  /** How long an agent may take to stop a cancelled turn. */
  readonly cancelLimitMs: number;
}

type ChatMessage = SyncCommand<"chat_message">["data"];
type OpenThread = SyncCommand<"open_thread">["data"];

interface StartedThread {
  readonly threadId: string;
  readonly session: ThreadSession;
}

/** Carries out the commands of the server. */
export class Host {
  readonly #options: HostOptions;
  readonly #queues = new Map<string, CommandQueue>();
  readonly #requests = new Requests();
  #readyTimer: Timer | undefined;
  #connectedBefore = false;
  #shown: string | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Tells that the link came up or went down. */
  onLink(state: "up" | "down"): void {
    this.#readyTimer?.cancel();
    if (state === "down") return;
    const { world, readyAfterMs, hasThreads, desk } = this.#options;
    if (!this.#connectedBefore && !hasThreads) this.#sendReady("zed-agent", null);
    this.#connectedBefore = true;
    desk.tellAgain();
    this.#readyTimer = world.after(readyAfterMs, () => this.#sendReady("zed-connection", null));
  }

  /** Takes one text frame from the server. */
  onFrame(text: string): void {
    const { log } = this.#options;
    const parsed = parseCommand(text);
    if (parsed.kind === "command") return this.#carryOut(parsed.command);
    if (parsed.kind === "unknown") return log.debug({ type: parsed.name }, "unknown command");
    if (parsed.kind === "echo") return log.warn("a message with the role of a user is an echo and is dropped");
    log.error({ problem: parsed.problem }, "unreadable command");
  }

  #carryOut(command: SyncCommand): void {
    switch (command.type) {
      case "chat_message":
        return this.#take(command.data);
      case "simulate_user_input":
        return this.#enqueue({ ...command.data, interrupt: false }, { echo: true });
      case "open_thread":
        return void this.#openThread(command.data);
      case "cancel_current_turn":
        return this.#cancel(command.data.request_id || "unknown");
      case "query_ui_state":
        return this.#tellUiState(command.data.query_id);
      case "answer_permission":
        return this.#options.desk.answer(command.data.permission_id, command.data.option_id);
      default:
        return command satisfies never;
    }
  }

  #take(message: ChatMessage): void {
    const { request_id: requestId, attempt } = message;
    const verdict = this.#requests.take(requestId, attempt);
    if (verdict.kind === "run") return this.#enqueue(message, { echo: false });
    const { log, send, threads } = this.#options;
    log.info({ requestId, attempt, known: verdict.kind }, "a request came again");
    if (verdict.kind === "underWay") return;
    const threadId = verdict.threadId ?? "";
    const answered = threads.answered(threadId, requestId);
    const prompt = { requestId, text: message.message, echo: false, onEnd: () => undefined };
    const told = answered !== undefined && threads.inMemory(threadId)?.retell(prompt, answered) === true;
    if (!told) send(verdict.end);
  }

  #enqueue(message: ChatMessage, how: { readonly echo: boolean }): void {
    const { threads } = this.#options;
    if (message.interrupt && message.acp_thread_id !== null) threads.inMemory(message.acp_thread_id)?.cancelTurn();
    const threadId = message.acp_thread_id;
    if (threadId === null) void this.#startThread(message, how.echo);
    else void this.#queueOf(threadId).run(() => this.#followUp(message, threadId, how.echo));
  }

  #queueOf(threadId: string): CommandQueue {
    const queue = this.#queues.get(threadId) ?? new CommandQueue();
    this.#queues.set(threadId, queue);
    return queue;
  }

  async #startThread(message: ChatMessage, echo: boolean): Promise<void> {
    const { log, send } = this.#options;
    const requestId = message.request_id;
    try {
      const { threadId, session } = (await this.#findStarted(message)) ?? (await this.#create(message));
      this.#sendReady(message.agent_name ?? "zed-agent", threadId);
      send({ event_type: "thread_created", data: { acp_thread_id: threadId, request_id: requestId } });
      await this.#runTurn({ session, threadId, message, echo });
    } catch (error) {
      log.error({ requestId, reason: describeError(error) }, "thread not created");
      this.#sendError(requestId, describeError(error));
    }
  }

  async #create(message: ChatMessage): Promise<StartedThread> {
    const { threads, log } = this.#options;
    const { request_id: requestId, agent_name: agentName } = message;
    const created = await threads.create({ requestId, agentName, settings: settingsIn(message) });
    log.info({ requestId, threadId: created.threadId, agent: agentName }, "thread created");
    return created;
  }

  /** The thread that this request had begun before the server, or this host, lost sight of it. */
  async #findStarted(message: ChatMessage): Promise<StartedThread | undefined> {
    const { threads, log } = this.#options;
    const threadId = threads.ofRequest(message.request_id);
    if (threadId === undefined) return undefined;
    try {
      return { threadId, session: (await threads.open(threadId, settingsIn(message))).session };
    } catch (error) {
      log.warn({ threadId, reason: describeError(error) }, "a thread that was begun is not there any more");
      return undefined;
    }
  }

  async #followUp(message: ChatMessage, threadId: string, echo: boolean): Promise<void> {
    const { threads, cancelLimitMs } = this.#options;
    let session: ThreadSession;
    try {
      await threads.inMemory(threadId)?.settle(cancelLimitMs);
      const opened = await threads.open(threadId, settingsIn(message));
      session = opened.session;
      if (opened.loaded) this.#sendReady(message.agent_name ?? threads.wireName(threadId) ?? "zed-agent", threadId);
    } catch (error) {
      return this.#sendLoadError(threadId, message.request_id, error);
    }
    try {
      await this.#runTurn({ session, threadId, message, echo });
    } catch (error) {
      this.#sendError(message.request_id, describeError(error));
    }
  }

  async #runTurn(turn: {
    readonly session: ThreadSession;
    readonly threadId: string;
    readonly message: ChatMessage;
    readonly echo: boolean;
  }): Promise<void> {
    const { session, threadId, message, echo } = turn;
    const { threads, log, world } = this.#options;
    const requestId = message.request_id;
    this.#requests.begin(requestId, threadId);
    this.#shown = threadId;
    const startedAt = world.now();
    const onEnd = (end: SyncEvent): void => this.#requests.end(requestId, end);
    const prompt = { requestId, text: message.message, echo, onEnd };
    const answered = threads.answered(threadId, requestId);
    if (answered === undefined || !session.retell(prompt, answered)) await session.runTurn(prompt);
    log.info({ requestId, threadId, tookMs: world.now() - startedAt }, "turn ended");
  }

  async #openThread(wanted: OpenThread): Promise<void> {
    const { acp_thread_id: threadId, request_id: requestId, agent_name: agentName } = wanted;
    this.#readyTimer?.cancel();
    const { threads, log } = this.#options;
    try {
      await threads.open(threadId, settingsIn(wanted));
      this.#shown = threadId;
      this.#sendReady(agentName ?? threads.wireName(threadId) ?? "zed-agent", threadId);
    } catch (error) {
      if (requestId !== "") return this.#sendLoadError(threadId, requestId, error);
      log.error({ threadId, reason: describeError(error) }, "thread not opened, and no request to tell");
    }
  }

  #cancel(requestId: string): void {
    const { threads, send } = this.#options;
    const answer = (status: "cancelled" | "noop"): void =>
      send({ event_type: "turn_cancelled", data: { request_id: requestId, status } });
    const session = threads.inMemory(this.#requests.threadOf(requestId) ?? "");
    if (session?.cancelTurn(() => answer("cancelled")) !== true) answer("noop");
  }

  #tellUiState(queryId: string): void {
    const session = this.#options.threads.inMemory(this.#shown ?? "");
    const data = {
      query_id: queryId,
      active_view: "headless",
      thread_id: this.#shown,
      entry_count: session?.entryCount ?? 0,
      mcp_servers: {},
      active_model: null,
    } as const;
    this.#options.send({ event_type: "ui_state_response", data });
  }

  #sendReady(agentName: string, threadId: string | null): void {
    this.#options.send({ event_type: "agent_ready", data: { agent_name: agentName, thread_id: threadId } });
  }

  #sendError(requestId: string, error: string): void {
    this.#sendEnd(requestId, { event_type: "chat_response_error", data: { request_id: requestId, error } });
  }

  #sendLoadError(threadId: string, requestId: string, reason: unknown): void {
    const error = `Failed to load thread: ${describeError(reason)}`;
    this.#options.log.error({ threadId, requestId, error }, "thread not loaded");
    const data = { acp_thread_id: threadId, request_id: requestId, error };
    this.#sendEnd(requestId, { event_type: "thread_load_error", data });
  }

  #sendEnd(requestId: string, end: SyncEvent): void {
    this.#requests.end(requestId, end);
    this.#options.send(end);
  }
}
