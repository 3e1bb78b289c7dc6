import type {
  PromptResponse,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from "@agentclientprotocol/sdk/unstable";
import { applyPermissionRequest, applyUpdate } from "./acp-updates.ts";
import type { AgentConnection } from "./agent-connection.ts";
import { describeError } from "./failure.ts";
import { answerPermission, PendingPermissions } from "./permissions.ts";
import type { SyncEvent, TokenUsage, ToolStatus } from "@helix-zed/sync-protocol";
import { Thread, type Change } from "./thread.ts";
import { TurnPublisher } from "./turn-publisher.ts";
import { addUsage, usageOfTurn } from "./usage.ts";
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
// Every error of an agent ends the turn with its text. So do the stop reasons
// max_tokens, max_turn_requests and refusal: the work is not done.

export interface Prompt {
  readonly requestId: string;
  readonly text: string;
  /** Whether the user's words go back over the wire, as when somebody types in Zed. */
  readonly echo: boolean;
}

export interface ThreadSessionOptions {
  readonly threadId: string;
  readonly connection: AgentConnection;
  readonly world: World;
  readonly send: (event: SyncEvent) => void;
  readonly permissionLimitMs: number;
}

interface Turn {
  readonly requestId: string;
  readonly end: PromiseWithResolvers<void>;
  usage: TokenUsage | undefined;
}

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
  readonly #permissions: PendingPermissions;
  #mode: "live" | "replay" = "live";
  #turn: Turn | undefined;
  /** Settles when the agent has answered the last prompt. */
  #answered: Promise<void> = Promise.resolve();

  constructor(options: ThreadSessionOptions) {
    const { threadId, world, send, permissionLimitMs } = options;
    this.#options = options;
    this.#publisher = new TurnPublisher({ threadId, thread: this.#thread, world, send });
    this.#permissions = new PendingPermissions(world, permissionLimitMs);
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

  /** Takes the conversation up again after its agent was restarted. Its history is kept, not sent. */
  async load(cwd: string): Promise<void> {
    this.#mode = "replay";
    await this.#options.connection.loadSession(this.#options.threadId, cwd);
    this.#mode = "live";
  }

  /** Runs one turn, if the last one is settled; resolves when it has ended on the wire, well or badly. */
  async runTurn(prompt: Prompt): Promise<void> {
    const turn: Turn = { requestId: prompt.requestId, end: Promise.withResolvers(), usage: undefined };
    this.#turn = turn;
    this.#publisher.beginTurn(prompt.requestId);
    this.#publisher.publish(this.#thread.addUserMessage(prompt.text, { echo: prompt.echo }));
    this.#answered = this.#options.connection.prompt(this.#options.threadId, prompt.text).then(
      (response) => this.#answer(turn, response),
      (error: unknown) => this.#fail(turn, describeError(error)),
    );
    await turn.end.promise;
  }

  /** Ends the running turn. Returns false, and does nothing, if none runs. */
  cancelTurn(announce: () => void = () => undefined): boolean {
    const turn = this.#turn;
    if (turn === undefined) return false;
    announce();
    this.#options.connection.cancel(this.#options.threadId);
    this.#permissions.cancelAll();
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
    if (usage !== undefined && this.#turn !== undefined) this.#turn.usage = addUsage(this.#turn.usage, usage);
    this.#publish(change);
  }

  async #askPermission(request: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    if (this.#turn === undefined) return { outcome: { outcome: "cancelled" } };
    this.#publish(applyPermissionRequest(this.#thread, request.toolCall));
    const automatic = this.#options.connection.agent.auto_approve ? answerPermission(request, "allow") : undefined;
    const { response, status } = automatic ?? (await this.#permissions.wait(request));
    this.#publish(this.#thread.upsertToolCall({ id: request.toolCall.toolCallId, status }));
    return response;
  }

  #answer(turn: Turn, response: PromptResponse): void {
    const problem = unfinished[response.stopReason];
    if (problem !== undefined)
      return this.#fail(turn, `agent "${this.#options.connection.agent.name}" stopped: ${problem}`);
    this.#complete(turn, usageOfTurn(response, turn.usage));
  }

  #complete(turn: Turn, usage: TokenUsage | undefined): void {
    const data = {
      acp_thread_id: this.#options.threadId,
      message_id: "0",
      request_id: turn.requestId,
      agent_name: this.#options.connection.agentName,
      usage: usage ?? null,
    } as const;
    this.#end(turn, { event_type: "message_completed", data });
  }

  #fail(turn: Turn, error: string): void {
    if (this.#turn !== turn) return;
    this.#permissions.cancelAll();
    this.#closeToolCalls("Failed");
    this.#end(turn, { event_type: "chat_response_error", data: { request_id: turn.requestId, error } });
  }

  /** The one place where a turn ends on the wire; a second end of the same turn is ignored. */
  #end(turn: Turn, event: SyncEvent): void {
    if (this.#turn !== turn) return;
    this.#turn = undefined;
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
