import { Readable, Writable } from "node:stream";
import {
  client,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type ClientConnection,
  type InitializeResponse,
  type McpServer,
  type PromptResponse,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
} from "@agentclientprotocol/sdk/unstable";
import { z } from "zod";
import type { AgentDefinition } from "./agent-definition.ts";
import type { AgentProcess } from "./agent-process.ts";
import { CommandQueue } from "./command-queue.ts";
import { type Choice, requestFor } from "./session-choices.ts";
import type { SessionSettings } from "./session-settings.ts";
import { describeError, Failure, MissingThread, saysSessionIsGone } from "./failure.ts";
import { within, type World } from "./world.ts";

// ACP to one agent process that holds several sessions.
//
// - The unstable entry point is used on purpose: the stable one strips the usage
//   from the answers to prompts.
// - Updates reach their session in the order in which they were written, and
//   before the answer that follows them: the handler for `session/update` is
//   registered first and does everything synchronously.
// - Sessions are created one after the other, as Zed does.
// - With a process that closes its output, or writes a message beyond all measure,
//   nobody can talk any more: `closed` tells, and whoever started it ends it.
// - An update for a session that nobody listens to yet (an agent may speak before
//   it has answered `session/new`) waits for the listener.

const initializeLimitMs = 60_000;
const sessionLimitMs = 120_000;
const messageBytesMax = 64 * 1024 * 1024;
const earlyUpdatesMax = 1_000;
const earlySessionsMax = 100;

/** What a session tells while it runs. */
export interface SessionListener {
  onUpdate(update: unknown): void;
  onPermissionRequest(request: RequestPermissionRequest): Promise<RequestPermissionResponse>;
}

export interface AgentConnectionOptions {
  readonly agent: AgentDefinition;
  readonly process: AgentProcess;
  readonly world: World;
  readonly redact: (text: string) => string;
}

const notification = z.object({ sessionId: z.string(), update: z.unknown() });

/** A running agent that has been initialized. */
export class AgentConnection {
  readonly #options: AgentConnectionOptions;
  readonly #connection: ClientConnection;
  readonly #listeners = new Map<string, SessionListener>();
  readonly #early = new Map<string, unknown[]>();
  #info: InitializeResponse | undefined;
  readonly #creation = new CommandQueue();

  private constructor(options: AgentConnectionOptions) {
    this.#options = options;
    const { stdin, stdout } = options.process;
    this.#connection = client({ name: "acp-host" })
      .onNotification(methods.client.session.update, notification, ({ params }) => {
        this.#deliver(params.sessionId, params.update);
      })
      .onRequest(methods.client.session.requestPermission, ({ params }) => this.#askPermission(params))
      .connect(ndJsonStream(Writable.toWeb(stdin), Readable.toWeb(stdout), { maxMessageBytes: messageBytesMax }));
  }

  /** Introduces the host to a process that was just started. */
  static async open(options: AgentConnectionOptions): Promise<AgentConnection> {
    const connection = new AgentConnection(options);
    const request = {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: "helix-zed-acp-host", version: "1" },
      clientCapabilities: {
        fs: { readTextFile: false, writeTextFile: false },
        terminal: false,
        _meta: { terminal_output: true },
      },
    };
    connection.#info = await connection.#ask("did not start", initializeLimitMs, (agent) =>
      agent.request(methods.agent.initialize, request),
    );
    return connection;
  }

  /** The name the agent gives itself. */
  get agentName(): string {
    return this.#info?.agentInfo?.name ?? this.#options.agent.name;
  }

  get agent(): AgentDefinition {
    return this.#options.agent;
  }

  get isOpen(): boolean {
    return !this.#connection.signal.aborted;
  }

  /**
   * Whether it can be given MCP servers as we have them: others would refuse to open a session with one, or let another
   * session use it.
   */
  get takesMcpOverHttp(): boolean {
    const { shares_mcp_servers: shares, process_per_thread: alone } = this.agent;
    return this.#info?.agentCapabilities?.mcpCapabilities?.http === true && (alone || !shares);
  }

  /** Resolves when nothing can be said or heard any more, whether the process lives or not. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Resolves, with the reason, when the agent is gone. */
  get gone(): Promise<string> {
    return this.#options.process.ended;
  }

  /** Creates a session and returns its id. */
  newSession(cwd: string, settings: SessionSettings): Promise<string> {
    return this.#creation.run(async () => {
      const session = await this.#ask("cannot open a session", sessionLimitMs, (agent) =>
        agent.request(methods.agent.session.new, { cwd, mcpServers: this.#mcpServersIn(settings) }),
      );
      const { sessionId } = session;
      await this.#setUp(sessionId, settings, session);
      return sessionId;
    });
  }

  /** Takes a session up again; the listener hears its history first. */
  async loadSession(sessionId: string, cwd: string, settings: SessionSettings): Promise<void> {
    if (this.#info?.agentCapabilities?.loadSession !== true) {
      throw new Failure(`agent "${this.agent.name}" cannot load sessions`);
    }
    const session = await this.#ask("cannot load the session", sessionLimitMs, async (agent) => {
      try {
        const mcpServers = this.#mcpServersIn(settings);
        return await agent.request(methods.agent.session.load, { sessionId, cwd, mcpServers });
      } catch (error) {
        throw saysSessionIsGone(error) ? new MissingThread(sessionId) : error;
      }
    });
    await this.#setUp(sessionId, settings, session);
  }

  /** Hears a session from now on, beginning with what it said before anybody listened. */
  listen(sessionId: string, listener: SessionListener): void {
    this.#listeners.set(sessionId, listener);
    const early = this.#early.get(sessionId) ?? [];
    this.#early.delete(sessionId);
    for (const update of early) listener.onUpdate(update);
  }

  /** Sends a prompt; resolves when the turn is over. There is no time limit: turns may take hours. */
  prompt(sessionId: string, text: string): Promise<PromptResponse> {
    return this.#ask("failed", undefined, (agent) =>
      agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: "text", text }] }),
    );
  }

  /** Asks the agent to stop the turn of a session. */
  cancel(sessionId: string): void {
    // An agent that is gone has nothing to cancel.
    this.#connection.agent.notify(methods.agent.session.cancel, { sessionId }).catch(() => undefined);
  }

  /** Kills the agent with all its children; whatever was asked of it fails. */
  kill(): void {
    this.#options.process.kill("SIGKILL");
  }

  #mcpServersIn({ mcpServers }: SessionSettings): McpServer[] {
    if (mcpServers === null || !this.takesMcpOverHttp) return [];
    return mcpServers.map(({ name, url, headers }) => ({ type: "http", name, url, headers: [...headers] }));
  }

  async #setUp(sessionId: string, { mode, model }: SessionSettings, session: unknown): Promise<void> {
    const modeWanted = mode ?? this.agent.default_mode ?? null;
    if (modeWanted !== null) await this.#choose("mode", modeWanted, sessionId, session);
    if (model !== null) await this.#choose("model", model, sessionId, session);
  }

  async #choose(choice: Choice, name: string, sessionId: string, session: unknown): Promise<void> {
    await this.#ask(`cannot be put into ${choice} "${name}"`, sessionLimitMs, (agent) => {
      const { method, params } = requestFor(choice, name, session);
      return agent.request(method, { sessionId, ...params });
    });
  }

  #deliver(sessionId: string, update: unknown): void {
    const listener = this.#listeners.get(sessionId);
    if (listener !== undefined) return listener.onUpdate(update);
    const early = this.#early.get(sessionId) ?? [];
    if (early.length === 0 && this.#early.size >= earlySessionsMax) return;
    if (early.length < earlyUpdatesMax) early.push(update);
    this.#early.set(sessionId, early);
  }

  async #askPermission(request: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    const listener = this.#listeners.get(request.sessionId);
    return listener?.onPermissionRequest(request) ?? { outcome: { outcome: "cancelled" } };
  }

  /** One request to the agent: with a limit, and with errors that name the agent and what was wanted. */
  async #ask<T>(
    what: string,
    limitMs: number | undefined,
    request: (agent: ClientConnection["agent"]) => Promise<T>,
  ): Promise<T> {
    try {
      const answer = request(this.#connection.agent);
      return await (limitMs === undefined
        ? answer
        : within(this.#options.world, limitMs, `no answer in ${limitMs} ms`, answer));
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(await this.#explain(what, error));
    }
  }

  async #explain(what: string, error: unknown): Promise<string> {
    const { agent, process, redact, world } = this.#options;
    if (this.isOpen) return redact(`agent "${agent.name}" ${what}: ${describeError(error)}`);
    // Its output has ended; how the process itself ended is known a moment later.
    const end = await within(world, 2_000, "", process.ended).catch(() => "closed its output");
    const said = process.lastLine === undefined ? "" : `; it last said: ${process.lastLine}`;
    return redact(`agent "${agent.name}" ${end} ${what === "failed" ? "in mid-turn" : `and ${what}`}${said}`);
  }
}
