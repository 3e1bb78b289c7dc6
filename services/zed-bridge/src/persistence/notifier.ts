import type { MikroORM } from "@mikro-orm/postgresql";

// Telling other bridges
//
// NOTIFY makes committing transactions wait for one another, so transactions here do without it. What rang in this
// process is told to others a moment later in one statement of its own, each topic once, however often it rang. It is a
// hint: when it fails, the others find out by looking.

const PAUSE_MS = 50;
const NOTIFY = "select pg_notify(?, topic) from jsonb_array_elements_text(?::jsonb) as topic";

/** Passes rings on to other processes, at most twenty times a second. */
export class Notifier {
  /** Where others listen; the payload is the topic. */
  static readonly channel = "helix_zed_bridge";

  readonly #orm: MikroORM;
  readonly #topics = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  notify(topics: readonly string[]): void {
    if (this.#closed) return;
    for (const topic of topics) this.#topics.add(topic);
    if (this.#topics.size > 0) this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS).unref();
  }

  /** Sends nothing more, and resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
  }

  #send(): void {
    const topics = JSON.stringify([...this.#topics]);
    this.#topics.clear();
    this.#timer = undefined;
    this.#sending = this.#sendTopics(topics);
  }

  async #sendTopics(topics: string): Promise<void> {
    try {
      const em = this.#orm.em.fork();
      await em.execute(NOTIFY, [Notifier.channel, topics]);
    } catch {
      // Only a hint is lost.
    }
  }
}
