import type {
  PromptResponse,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from "@agentclientprotocol/sdk/unstable";
import { applyPermissionRequest, applyUpdate } from "./acp-updates.ts";
import type { AgentConnection } from "./agent-connection.ts";
import { describeError } from "./failure.ts";
import type { PermissionDesk } from "./permission-desk.ts";
import { answerPermission, type PermissionAnswer, withdrawn } from "./permissions.ts";
import type { SessionSettings } from "./session-settings.ts";
import { sumOfUsages, type SyncEvent, type TokenUsage, type ToolStatus } from "@helix-zed/sync-protocol";
import type { LastRequest } from "./thread-index.ts";
import { toolLabel } from "./tool-call-markdown.ts";
import { Thread, type Change } from "./thread.ts";
import { TurnPublisher } from "./turn-publisher.ts";
import { usageOfTurn } from "./usage.ts";
import { within, type World } from "./world.ts";

// A thread that is open: its entries, its agent's session, and the turn that runs.
//
// A turn has two lives. On the wire it ends with exactly one event, either
// message_completed or chat_response_error; when it is cancelled, it ends at once,
// as in Zed. At the agent it ends when the prompt is answered, which can be later.
// The next prompt waits for that, because every agent does something else with a
// second prompt in a running turn: one fails the first, one queues the second,
// and some then cancel both.
//
// Every error of an agent ends the turn with its text. So does every stop reason but
// end_turn and cancelled: the work is not done.

export interface Prompt {
  readonly requestId: string;
  readonly text: string;
  /** Whether the user's words go back over the wire, as when somebody types in Zed. */
  readonly echo: boolean;
  /** Hears what has ended the turn before the server does. */
  readonly onEnd: (end: SyncEvent) => void;
}

export interface ThreadSessionOptions {
  readonly threadId: string;
  readonly connection: AgentConnection;
  readonly world: World;
  readonly send: (event: SyncEvent) => void;
  readonly desk: PermissionDesk;
  readonly settings: SessionSettings;
  /** Keeps what has become of a request, before anybody is told. */
  readonly note: (request: LastRequest) => void;
}

interface Turn {
  readonly requestId: string;
  readonly onEnd: (end: SyncEvent) => void;
  readonly end: PromiseWithResolvers<void>;
  usage: TokenUsage | undefined;
}

const finished: ReadonlySet<string> = new Set(["end_turn", "cancelled"]);
const unfinished: Readonly<Record<string, string>> = {
  max_tokens: "the model reached its token limit",
  max_turn_requests: "the agent reached its limit of model requests for one turn",
  refusal: "the agent refused to go on",
};

/** One conversation with an agent, published over the wire. */
export class ThreadSession {
  readonly #options: ThreadSessionOptions;
  readonly #thread = new Thread();
  readonly #publisher: TurnPublisher;
  #settings: SessionSettings;
  #mode: "live" | "replay" = "live";
  #turn: Turn | undefined;
  /** Settles when the agent has answered the last prompt. */
  #answered: Promise<void> = Promise.resolve();

  constructor(options: ThreadSessionOptions) {
    const { threadId, world, send, settings } = options;
    this.#options = options;
    this.#settings = settings;
    this.#publisher = new TurnPublisher({ threadId, thread: this.#thread, world, send });
    options.connection.listen(threadId, {
      onUpdate: (update) => this.#applyUpdate(update),
      onPermissionRequest: (request) => this.#askPermission(request),
    });
  }

  get isOpen(): boolean {
    return this.#options.connection.isOpen;
  }

  get entryCount(): number {
    return this.#thread.length;
  }

  /** How often the user has spoken, as far as the agent knows. */
  get userMessageCount(): number {
    return this.#thread.userMessageCount;
  }

  /** Takes the conversation up again after its agent was restarted. Its history is kept, not sent. */
  async load(cwd: string): Promise<void> {
    this.#mode = "replay";
    await this.#options.connection.loadSession(this.#options.threadId, cwd, this.#settings);
    this.#mode = "live";
  }

  /** Goes by other settings from now on, as far as they mean anything in a session that is open. */
  use(settings: SessionSettings): void {
    this.#settings = settings;
  }

  /** Says once more what the agent has answered to a prompt. Returns false if the thread does not have it. */
  retell({ requestId, text, onEnd }: Prompt, answered: Pick<LastRequest, "user_messages">): boolean {
    const last = this.#thread.lastUserMessage;
    const isThere = last?.text.includes(text) === true && this.#thread.userMessageCount >= answered.user_messages;
    if (!isThere || this.#turn !== undefined || this.#thread.length === last.index + 1) return false;
    const end = this.#completion(requestId, undefined);
    this.#publisher.beginTurn(requestId, last.index);
    onEnd(end);
    this.#publisher.endTurn(end);
    return true;
  }

  /** Runs one turn, if the last one is settled; resolves when it has ended on the wire, well or badly. */
  async runTurn(prompt: Prompt): Promise<void> {
    const { requestId, onEnd } = prompt;
    const turn: Turn = { requestId, onEnd, end: Promise.withResolvers(), usage: undefined };
    this.#turn = turn;
    this.#publisher.beginTurn(prompt.requestId);
    this.#publisher.publish(this.#thread.addUserMessage(prompt.text, { echo: prompt.echo }));
    this.#note(turn, { answered: false });
    this.#answered = this.#options.connection.prompt(this.#options.threadId, prompt.text).then(
      (response) => this.#answer(turn, response),
      (error: unknown) => this.#fail(turn, describeError(error)),
    );
    return turn.end.promise;
  }

  /** Ends the running turn. Returns false, and does nothing, if none runs. */
  cancelTurn(announce: () => void = () => undefined): boolean {
    const turn = this.#turn;
    if (turn === undefined) return false;
    announce();
    this.#options.connection.cancel(this.#options.threadId);
    this.#options.desk.cancelThread(this.#options.threadId);
    this.#closeToolCalls("Canceled");
    this.#complete(turn, turn.usage);
    return true;
  }

  /**
   * Waits until the running turn has ended and the agent has answered its prompt. One that does not
   * answer a cancelled prompt in time is killed, also if that costs a turn of another thread: a wedged
   * session never recovers, and loading it again does.
   */
  async settle(limitMs: number): Promise<void> {
    while (this.#turn !== undefined) await this.#turn.end.promise;
    const { connection, world } = this.#options;
    await within(world, limitMs, "late", this.#answered).catch(async () => {
      connection.kill();
      await connection.gone;
      await this.#answered;
    });
  }

  #applyUpdate(update: unknown): void {
    const { change, usage } = applyUpdate(this.#thread, update, this.#mode);
    if (this.#mode === "replay") return;
    if (usage !== undefined && this.#turn !== undefined) this.#turn.usage = sumOfUsages(this.#turn.usage, usage);
    this.#publish(change);
  }

  async #askPermission(request: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    if (this.#turn === undefined) return { outcome: { outcome: "cancelled" } };
    const change = applyPermissionRequest(this.#thread, request.toolCall);
    // What is asked is told before the tool call that waits: whoever sees a turn wait sees for what.
    const answer = this.#decide(request) ?? this.#askServer(request, this.#turn);
    this.#publish(change);
    const { response, status } = await answer;
    this.#publish(this.#thread.upsertToolCall({ id: request.toolCall.toolCallId, status }));
    return response;
  }

  /** What the policy says; nothing if somebody is to be asked, or if the agent has no option that says it. */
  #decide(request: RequestPermissionRequest): PermissionAnswer | undefined {
    const byAgent = this.#options.connection.agent.auto_approve ? "allow" : "ask";
    const policy = this.#settings.permissionPolicy ?? byAgent;
    if (policy === "ask") return undefined;
    return answerPermission(request, policy) ?? (policy === "reject" ? withdrawn : undefined);
  }

  #askServer(request: RequestPermissionRequest, { requestId }: Turn): Promise<PermissionAnswer> {
    const call = this.#thread.toolCall(request.toolCall.toolCallId);
    const toolName = call === undefined ? "" : toolLabel(call);
    return this.#options.desk.ask({ threadId: this.#options.threadId, requestId, toolName, request });
  }

  #answer(turn: Turn, response: PromptResponse): void {
    const { stopReason } = response;
    const problem = finished.has(stopReason) ? undefined : (unfinished[stopReason] ?? `it says "${stopReason}"`);
    if (problem !== undefined)
      return this.#fail(turn, `agent "${this.#options.connection.agent.name}" stopped: ${problem}`);
    if (this.#turn === turn) this.#note(turn, { answered: true });
    this.#complete(turn, usageOfTurn(response, turn.usage));
  }

  #complete(turn: Turn, usage: TokenUsage | undefined): void {
    this.#end(turn, this.#completion(turn.requestId, usage));
  }

  #completion(requestId: string, usage: TokenUsage | undefined): SyncEvent {
    const data = {
      acp_thread_id: this.#options.threadId,
      message_id: "0",
      request_id: requestId,
      agent_name: this.#options.connection.agentName,
      usage: usage ?? null,
    } as const;
    return { event_type: "message_completed", data };
  }

  #note({ requestId: id }: Turn, { answered }: Pick<LastRequest, "answered">): void {
    this.#options.note({ id, answered, user_messages: this.#thread.userMessageCount });
  }

  #fail(turn: Turn, error: string): void {
    if (this.#turn !== turn) return;
    this.#options.desk.cancelThread(this.#options.threadId);
    this.#closeToolCalls("Failed");
    this.#end(turn, { event_type: "chat_response_error", data: { request_id: turn.requestId, error } });
  }

  /** The one place where a turn ends on the wire; a second end of the same turn is ignored. */
  #end(turn: Turn, event: SyncEvent): void {
    if (this.#turn !== turn) return;
    this.#turn = undefined;
    turn.onEnd(event);
    this.#publisher.endTurn(event);
    turn.end.resolve();
  }

  #closeToolCalls(status: ToolStatus): void {
    for (const change of this.#thread.closeToolCalls(status)) this.#publish(change);
  }

  #publish(change: Change | undefined): void {
    if (change !== undefined) this.#publisher.publish(change);
  }
}
