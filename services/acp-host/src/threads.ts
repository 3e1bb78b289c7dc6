import type { Agents } from "./agents.ts";
import { CommandQueue } from "./command-queue.ts";
import { Failure, MissingThread } from "./failure.ts";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { ThreadIndex, ThreadRecord } from "./thread-index.ts";
import { ThreadSession } from "./thread-session.ts";
import { delay, type World } from "./world.ts";

export interface ThreadsOptions {
  readonly agents: Agents;
  readonly index: ThreadIndex;
  readonly workDir: string;
  readonly world: World;
  readonly send: (event: SyncEvent) => void;
  readonly permissionLimitMs: number;
}

const minuteMs = 60_000;

/** The threads of this host: created, known from before, and open. */
export class Threads {
  readonly #options: ThreadsOptions;
  readonly #open = new Map<string, ThreadSession>();
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

  /** Creates a thread with a new session of the agent. */
  async create(wireName: string | null): Promise<{ readonly threadId: string; readonly session: ThreadSession }> {
    const { agents, index, workDir, world } = this.#options;
    const agent = agents.find(wireName);
    const connection = await agents.connect(agent);
    const threadId = await connection.newSession(workDir);
    index.put({
      id: threadId,
      agent: agent.name,
      wire_name: wireName ?? "zed-agent",
      cwd: workDir,
      created_at_ms: world.now(),
      prompted: false,
    });
    const session = new ThreadSession({ ...this.#options, threadId, connection });
    this.#open.set(threadId, session);
    return { threadId, session };
  }

  /** Opens a thread: at once if its agent runs, else by loading it from a new one. */
  async open(threadId: string): Promise<{ readonly session: ThreadSession; readonly loaded: boolean }> {
    const present = this.#running(threadId);
    if (present !== undefined) return { session: present, loaded: false };
    return this.#loads.run(async () => {
      const loadedMeanwhile = this.#running(threadId);
      if (loadedMeanwhile !== undefined) return { session: loadedMeanwhile, loaded: false };
      const known = this.#options.index.get(threadId);
      if (known === undefined) throw new MissingThread(threadId);
      const session = await this.#load(known);
      this.#open.set(threadId, session);
      return { session, loaded: true };
    });
  }

  /** Remembers that the agent has a history for this thread from now on. */
  notePrompt(threadId: string): void {
    const known = this.#options.index.get(threadId);
    if (known?.prompted === false) this.#options.index.put({ ...known, prompted: true });
  }

  #running(threadId: string): ThreadSession | undefined {
    const session = this.#open.get(threadId);
    return session?.isOpen === true ? session : undefined;
  }

  async #load(known: ThreadRecord): Promise<ThreadSession> {
    const { agents, world } = this.#options;
    const agent = agents.find(known.agent);
    if (agent.load_in_later_minute) await nextMinute(world, known.created_at_ms);
    const connection = await agents.connect(agent);
    const session = new ThreadSession({ ...this.#options, threadId: known.id, connection });
    await session.load(known.cwd);
    if (known.prompted && session.entryCount === 0) {
      throw new Failure(`agent "${agent.name}" has lost the history: ${new MissingThread(known.id).message}`);
    }
    return session;
  }
}

/** Waits until the clock shows another minute than at this moment. */
async function nextMinute(world: World, momentMs: number): Promise<void> {
  const endMs = (Math.floor(momentMs / minuteMs) + 1) * minuteMs;
  if (world.now() < endMs) await delay(world, endMs - world.now());
}
