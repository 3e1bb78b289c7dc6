import type { Logger } from "pino";
import type { AgentConnection } from "./agent-connection.ts";
import type { Agents } from "./agents.ts";
import { CommandQueue } from "./command-queue.ts";
import { Failure, MissingThread } from "./failure.ts";
import type { McpServer, SyncEvent } from "@helix-zed/sync-protocol";
import type { PermissionDesk } from "./permission-desk.ts";
import type { SessionSettings } from "./session-settings.ts";
import type { LastRequest, ThreadIndex, ThreadRecord } from "./thread-index.ts";
import { ThreadSession } from "./thread-session.ts";
import { delay, type World } from "./world.ts";

export interface ThreadsOptions {
  readonly agents: Agents;
  readonly index: ThreadIndex;
  readonly workDir: string;
  readonly world: World;
  readonly log: Logger;
  readonly send: (event: SyncEvent) => void;
  readonly desk: PermissionDesk;
}

/** Who asks for a thread, and of what kind. */
export interface WantedThread {
  readonly requestId: string;
  readonly agentName: string | null;
  readonly settings: SessionSettings;
}

const minuteMs = 60_000;

/** The threads of this host: created, known from before, and open. */
export class Threads {
  readonly #options: ThreadsOptions;
  readonly #open = new Map<string, ThreadSession>();
  /** Of which MCP servers this host was told, by thread. Nowhere else: they come with secrets. */
  readonly #mcpServers = new Map<string, readonly McpServer[]>();
  /** One load at a time, so that two commands for one thread do not load it twice. */
  readonly #loads = new CommandQueue();

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  /** A thread that is in memory, whether its agent still runs or not. */
  inMemory(threadId: string): ThreadSession | undefined {
    return this.#open.get(threadId);
  }

  /** The name by which the server knows the agent of a thread. */
  wireName(threadId: string): string | undefined {
    return this.#options.index.get(threadId)?.wire_name;
  }

  /** The thread that this request has begun, if it ever has. */
  ofRequest(requestId: string): string | undefined {
    return this.#options.index.findByRequest(requestId)?.id;
  }

  /** What is known of this request if the agent has answered it and nothing came after it in the thread. */
  answered(threadId: string, requestId: string): LastRequest | undefined {
    const last = this.#options.index.get(threadId)?.last_request;
    return last?.answered === true && last.id === requestId ? last : undefined;
  }

  /** Creates a thread with a new session of the agent, for the request that asked for one. */
  async create({
    requestId,
    agentName: wireName,
    settings,
  }: WantedThread): Promise<{ readonly threadId: string; readonly session: ThreadSession }> {
    const { agents, index, workDir, world } = this.#options;
    const agent = agents.find(wireName);
    const connection = await agents.connect(agent);
    const threadId = await connection.newSession(workDir, settings);
    index.put({
      id: threadId,
      agent: agent.name,
      wire_name: wireName ?? "zed-agent",
      cwd: workDir,
      created_at_ms: world.now(),
      prompted: false,
      last_request: { id: requestId, answered: false, user_messages: 0 },
    });
    const session = this.#newSession(threadId, connection, this.#remember(threadId, settings));
    this.#open.set(threadId, session);
    return { threadId, session };
  }

  /** Opens a thread: at once if its agent runs, else by loading it from a new one. */
  async open(
    threadId: string,
    settings: SessionSettings,
  ): Promise<{ readonly session: ThreadSession; readonly loaded: boolean }> {
    const known = this.#remember(threadId, settings);
    const present = this.#running(threadId);
    present?.use(known);
    if (present !== undefined) return { session: present, loaded: false };
    return this.#loads.run(async () => {
      const loadedMeanwhile = this.#running(threadId);
      if (loadedMeanwhile !== undefined) return { session: loadedMeanwhile, loaded: false };
      const record = this.#options.index.get(threadId);
      if (record === undefined) throw new MissingThread(threadId);
      const session = await this.#load(record, known);
      this.#open.set(threadId, session);
      return { session, loaded: true };
    });
  }

  /** The settings with the MCP servers that this or an earlier command has told of. */
  #remember(threadId: string, settings: SessionSettings): SessionSettings {
    const mcpServers = settings.mcpServers ?? this.#mcpServers.get(threadId) ?? [];
    this.#mcpServers.set(threadId, mcpServers);
    return { ...settings, mcpServers };
  }

  #running(threadId: string): ThreadSession | undefined {
    const session = this.#open.get(threadId);
    return session?.isOpen === true ? session : undefined;
  }

  #newSession(threadId: string, connection: AgentConnection, settings: SessionSettings): ThreadSession {
    const note = (request: LastRequest): void => this.#note(threadId, request);
    return new ThreadSession({ ...this.#options, threadId, connection, settings, note });
  }

  /** From the first request on the agent has a history for the thread. */
  #note(threadId: string, request: LastRequest): void {
    const known = this.#options.index.get(threadId);
    if (known !== undefined) this.#options.index.put({ ...known, prompted: true, last_request: request });
  }

  async #load(known: ThreadRecord, settings: SessionSettings): Promise<ThreadSession> {
    const { agents, world, log } = this.#options;
    const agent = agents.find(known.agent);
    if (agent.load_in_later_minute) await nextMinute(world, known.created_at_ms);
    const connection = await agents.connect(agent);
    const session = this.#newSession(known.id, connection, settings);
    await session.load(known.cwd);
    if (known.prompted && session.entryCount === 0) {
      throw new Failure(`agent "${agent.name}" has lost the history: ${new MissingThread(known.id).message}`);
    }
    const answered = known.last_request?.answered === true ? known.last_request.user_messages : 0;
    if (session.userMessageCount < answered) {
      // An agent that writes late and was killed; what is left of the conversation is worth more than none.
      log.warn({ threadId: known.id, agent: agent.name }, "the agent has lost the end of the conversation");
    }
    return session;
  }
}

/** Waits until the clock shows another minute than at this moment. */
async function nextMinute(world: World, momentMs: number): Promise<void> {
  const endMs = (Math.floor(momentMs / minuteMs) + 1) * minuteMs;
  if (world.now() < endMs) await delay(world, endMs - world.now());
}
