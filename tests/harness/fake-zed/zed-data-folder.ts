import type { ZedEntry } from "./zed-thread.ts";

/** A thread as it lies on the disk. */
export interface StoredThread {
  readonly id: string;
  readonly agentName: string;
  /** What had happened when it was written down last: at a prompt and at the end of a turn, not in between. */
  entries: readonly ZedEntry[];
}

/** A prompt that reached an agent, and what came of it: the truth that a transcript is compared with. */
export interface AgentRecord {
  readonly requestId: string;
  readonly threadId: string;
  readonly message: string;
  /** The life of the process in which it was. */
  readonly life: number;
  readonly attempt: number;
  end: "running" | "stopped" | "cancelled" | "failed" | "lost";
  /** What the agent said and did in it, in order, whole. */
  said: string[];
  /** Everything that any entry of it has ever been. */
  readonly versions: Set<string>;
}

/** What survives the end of an editor's process: its threads; and the test's own record of what has happened. */
export class ZedDataFolder {
  readonly threads = new Map<string, StoredThread>();
  readonly records: AgentRecord[] = [];
  readonly #threadName: string;
  #threadCount = 0;
  #lives = 0;

  constructor(threadName = "thread") {
    this.#threadName = threadName;
  }

  /** A name that no thread has had. */
  nextThreadId(): string {
    return `${this.#threadName}-${++this.#threadCount}`;
  }

  /** Begins the next life of the process, and gives its number. */
  beginLife(): number {
    for (const record of this.records) if (record.end === "running") record.end = "lost";
    return ++this.#lives;
  }

  /** Loses a thread, as a disk does. */
  forget(threadId: string): void {
    this.threads.delete(threadId);
  }
}
