import type { SyncCommand, SyncEvent, TokenUsage } from "@helix-zed/sync-protocol";
import { acceptLink } from "../application/accept-link.ts";
import type { App } from "../application/app.ts";
import { claimCommands } from "../application/claim-commands.ts";
import { closeLink } from "../application/close-link.ts";
import { prepareLaunch } from "../application/prepare-launch.ts";
import { receiveEvent } from "../application/receive-event.ts";
import { recordExit } from "../application/record-exit.ts";
import { recordLaunch } from "../application/record-launch.ts";

/** What may be said of an entry. */
export interface SaidEntry {
  readonly thread?: string;
  readonly request: string;
  readonly index: number;
  readonly content: string;
  readonly role?: "user" | "assistant";
  readonly tool?: { readonly name: string; readonly status: string };
}

/** An editor without a socket: says events and takes commands exactly when a test wants it. */
export class ScriptedEditor {
  readonly instanceId: string;
  readonly #app: App;
  #token = "";
  #launch = 0;
  #epoch = 0;

  constructor(app: App, instanceId: string) {
    this.#app = app;
    this.instanceId = instanceId;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Starts the process. */
  async launch(): Promise<void> {
    const launch = await prepareLaunch(this.#app, { instanceId: this.instanceId });
    if (launch === null) throw new Error("no launch is wanted");
    this.#token = launch.token;
    this.#launch = launch.launch;
    await recordLaunch(this.#app, { ...launch, pid: 1_000 + launch.launch, pidStartedAt: String(launch.launch) });
  }

  /** Connects and, unless told otherwise, says that it is ready. */
  async connect({ ready = true }: { readonly ready?: boolean } = {}): Promise<void> {
    const { epoch } = await acceptLink(this.#app, { instanceId: this.instanceId, token: this.#token });
    this.#epoch = epoch;
    if (ready) await this.ready();
  }

  /** Starts, connects and is ready. */
  async start(): Promise<void> {
    await this.launch();
    await this.connect();
  }

  /** The connection breaks. */
  disconnect(): Promise<void> {
    return closeLink(this.#app, { instanceId: this.instanceId, epoch: this.#epoch });
  }

  /** The process ends by itself. */
  async crash(reason = "killed by SIGKILL"): Promise<void> {
    await this.#exit(reason, false);
  }

  /** Its bridge ends it because the bridge itself ends. */
  async endWithBridge(): Promise<void> {
    await this.#exit("killed by SIGTERM", true);
  }

  async #exit(reason: string, planned: boolean): Promise<void> {
    const { instanceId } = this;
    await recordExit(this.#app, { instanceId, launch: this.#launch, reason, logLines: ["bye"], planned });
  }

  /** The commands that are due. */
  async take(): Promise<SyncCommand[]> {
    return (await claimCommands(this.#app, { instanceId: this.instanceId, epoch: this.#epoch })) ?? [];
  }

  /** The one command that is due, which must be of this type. */
  async takeOne<Type extends SyncCommand["type"]>(type: Type): Promise<SyncCommand<Type>["data"]> {
    const commands = await this.take();
    const [command] = commands;
    if (commands.length !== 1 || command?.type !== type) {
      throw new Error(`one ${type} was to be due, not ${JSON.stringify(commands)}`);
    }
    return command.data;
  }

  /** Says something on the present connection, or on another one; gives why it was ignored. */
  async say(event: SyncEvent, epoch = this.#epoch): Promise<string | null> {
    return (await receiveEvent(this.#app, { instanceId: this.instanceId, epoch, event })).ignored;
  }

  ready(thread: string | null = null): Promise<string | null> {
    return this.say({ event_type: "agent_ready", data: { agent_name: "zed-agent", thread_id: thread } });
  }

  threadCreated(request: string, thread: string, epoch?: number): Promise<string | null> {
    return this.say({ event_type: "thread_created", data: { acp_thread_id: thread, request_id: request } }, epoch);
  }

  entry(entry: SaidEntry, epoch?: number): Promise<string | null> {
    return this.say(entryEvent(entry), epoch);
  }

  completed(request: string, thread = "thread-1", usage: TokenUsage | null = null): Promise<string | null> {
    return this.say(completedEvent(request, thread, usage));
  }

  failed(request: string, error: string): Promise<string | null> {
    return this.say({ event_type: "chat_response_error", data: { request_id: request, error } });
  }

  loadFailed(thread: string, request: string, error: string): Promise<string | null> {
    return this.say({
      event_type: "thread_load_error",
      data: { acp_thread_id: thread, request_id: request, error },
    });
  }

  cancelled(request: string, status: "cancelled" | "noop" = "cancelled"): Promise<string | null> {
    return this.say({ event_type: "turn_cancelled", data: { request_id: request, status } });
  }

  /** Takes the next prompt, which makes a thread, and names it. */
  async beginThread(thread = "thread-1"): Promise<string> {
    const { request_id: request } = await this.takeOne("chat_message");
    await this.ready(thread);
    await this.threadCreated(request, thread);
    return request;
  }

  /** Answers a turn and ends it. */
  async answer(request: string, content: string, { thread = "thread-1", index = 1 } = {}): Promise<void> {
    await this.entry({ request, index, content, thread });
    await this.completed(request, thread);
  }
}

/** An entry on the wire. */
export function entryEvent({ thread = "thread-1", request, index, content, role, tool }: SaidEntry): SyncEvent {
  return {
    event_type: "message_added",
    data: {
      acp_thread_id: thread,
      message_id: String(index),
      role: role ?? "assistant",
      content,
      request_id: request,
      entry_type: tool === undefined ? "text" : "tool_call",
      tool_name: tool?.name ?? "",
      tool_status: tool?.status ?? "",
      timestamp: 1_700_000_000,
    },
  };
}

/** The end of a turn on the wire. */
export function completedEvent(request: string, thread = "thread-1", usage: TokenUsage | null = null): SyncEvent {
  const data = { acp_thread_id: thread, message_id: "0", request_id: request, agent_name: "zed-agent", usage };
  return { event_type: "message_completed", data };
}
