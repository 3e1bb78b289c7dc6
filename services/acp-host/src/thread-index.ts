import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

// The threads that were created here, in a file that survives the host.
//
// It is needed because agents do not tell reliably whether they know a session:
// qwen accepts any id in `session/load` and begins an empty conversation under
// it. A thread that is not in this file does not exist, which is an answer that
// the server may act on; so the file is written before anybody hears of a thread.

const lastRequest = z.object({
  id: z.string(),
  /** Whether the agent has answered it, to its end. */
  answered: z.boolean(),
  /** How many messages of the user the thread has with it: tells it from an earlier one of the same words. */
  user_messages: z.number(),
});

/** The last request of a thread, and what has become of it. */
export type LastRequest = z.infer<typeof lastRequest>;

const record = z.object({
  id: z.string(),
  /** Which agent holds the session. */
  agent: z.string(),
  /** The name that the server used for it. */
  wire_name: z.string(),
  /** Agents find a stored session by its folder too. */
  cwd: z.string(),
  created_at_ms: z.number(),
  /** Whether a prompt was ever sent: if so, an empty history means that the agent has lost it. */
  prompted: z.boolean(),
  /** The last request that was run in the thread, which may be asked for again by a server that has not heard its end. */
  last_request: lastRequest.nullish().transform((value) => value ?? null),
});

export type ThreadRecord = z.infer<typeof record>;

/** The known threads, in memory and on disk. */
export class ThreadIndex {
  readonly #file: string;
  readonly #records: Map<string, ThreadRecord>;

  private constructor(file: string, records: readonly ThreadRecord[]) {
    this.#file = file;
    this.#records = new Map(records.map((known) => [known.id, known]));
  }

  /** Reads the file; a missing one is empty, a broken one is an error, because it would make threads disappear. */
  static open(file: string): ThreadIndex {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return new ThreadIndex(file, readRecords(file));
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  get(id: string): ThreadRecord | undefined {
    return this.#records.get(id);
  }

  /** The thread in which this request was run last. */
  findByRequest(requestId: string): ThreadRecord | undefined {
    return [...this.#records.values()].find((known) => known.last_request?.id === requestId);
  }

  /** Remembers a thread, or a newer state of one. */
  put(known: ThreadRecord): void {
    this.#records.set(known.id, known);
    const next = `${this.#file}.next`;
    writeFileSync(next, JSON.stringify({ threads: [...this.#records.values()] }, null, 1), { mode: 0o600 });
    renameSync(next, this.#file);
  }
}

function readRecords(file: string): ThreadRecord[] {
  const text = readIfThere(file);
  if (text === undefined) return [];
  try {
    return z.object({ threads: z.array(record) }).parse(JSON.parse(text)).threads;
  } catch (error) {
    throw new Error(`${file} is damaged; move it away to start without the threads it names`, { cause: error });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
