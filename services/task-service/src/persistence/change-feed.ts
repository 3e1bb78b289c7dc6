// The feed: one per process, between the log and all watchers of the process
//
//   a commit here ─┐
//   NOTIFY ────────┼─▶ refresh ─▶ number what is committed ─▶ read it once ─▶ ring for the watchers
//   the poll ──────┘
//
// `refresh` is a group: while one runs, everybody who asks waits for the one after it, which covers them all. It is never
// needed for a commit to count, so a failure is left to the next poll.

import type { World } from "@helix-zed/domain";
import { Doorbell, type Ear, inTenant, refuseIfUnavailable } from "@helix-zed/persistence";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Change } from "./change.ts";
import { type LogBounds, readBounds, readChanges } from "./change-reader.ts";
import { ChangeTail } from "./change-tail.ts";

/** A piece of the log, and how far it reaches. */
export interface ChangePage {
  readonly changes: readonly Change[];
  readonly upTo: number;
}

/** What a feed needs. */
export interface ChangeFeedOptions {
  readonly orm: MikroORM;
  readonly world: Pick<World, "sleep">;
  readonly pollMs: number;
  readonly warn: (message: string) => void;
}

const PAGE_CHANGES_MAX = 500;

/** Where the watchers of this process read the log. */
export class ChangeFeed {
  /** Rung with a number that was given out, or without one, as a hint that there may be something new. */
  readonly hints: Pick<Doorbell, "ring"> = { ring: (seq) => this.#hint(seq) };
  readonly #wakeUps = new Doorbell();
  readonly #options: ChangeFeedOptions;
  readonly #news = new Doorbell();
  readonly #tail: ChangeTail;
  #head: number;
  #listeners = 0;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(options: ChangeFeedOptions, head: number) {
    this.#options = options;
    this.#head = head;
    this.#tail = new ChangeTail(head);
  }

  /** A feed that knows where the log ends. */
  static async open(options: ChangeFeedOptions): Promise<ChangeFeed> {
    const { head } = await inTenant(null, () => readBounds(options.orm.em.fork()));
    return new ChangeFeed(options, head);
  }

  /** The last number that this process knows of. */
  get head(): number {
    return this.#head;
  }

  /** The ends of the log as the database has them now. */
  async bounds(): Promise<LogBounds> {
    return inTenant(null, () => orUnavailable(readBounds(this.#options.orm.em.fork())));
  }

  /** Hears when there is something new. To be closed. */
  listen(): Ear {
    const ear = this.#news.listen();
    this.#listeners++;
    return {
      wait: (timeoutMs, signal) => ear.wait(timeoutMs, signal),
      close: () => {
        ear.close();
        this.#listeners--;
      },
    };
  }

  /** The next changes after a number, of one tenant or (`null`) of all; others may be among them. */
  async read(after: number, tenant: string | null): Promise<ChangePage> {
    const upTo = this.#head;
    if (after >= upTo) return { changes: [], upTo: after };
    const changes = this.#tail.covers(after)
      ? this.#tail.between(after, Math.min(upTo, after + PAGE_CHANGES_MAX))
      : await this.#readDatabase(after, upTo, tenant);
    const last = changes.at(-1);
    return { changes, upTo: changes.length === PAGE_CHANGES_MAX && last !== undefined ? last.seq : upTo };
  }

  /** Numbers what is committed, and learns what is new. */
  refresh(): Promise<void> {
    if (this.#running === undefined) return this.#run();
    return (this.#next ??= this.#running.catch(() => {}).then(() => this.#run()));
  }

  /** Refreshes without being waited for; what fails is done again by the next poll. */
  nudge(): void {
    this.refresh().catch((error: unknown) => this.#warn(error));
  }

  /** Refreshes at every hint and at every poll, until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const ear = this.#wakeUps.listen();
    try {
      while (!signal.aborted) {
        await this.refresh().catch((error: unknown) => this.#warn(error));
        await ear.wait(this.#options.pollMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ear.close();
    }
  }

  /** Most numbers that we hear of, we gave out ourselves. */
  #hint(seq: string | undefined): void {
    if (seq === undefined || Number(seq) > this.#head) this.#wakeUps.ring();
  }

  #run(): Promise<void> {
    this.#next = undefined;
    this.#running = inTenant(null, () => orUnavailable(this.#refreshNow())).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #refreshNow(): Promise<void> {
    const em = this.#options.orm.em.fork();
    const rows = await em.execute<{ head: string }[]>("select sequence_changes() as head");
    const head = Number(rows[0]?.head);
    if (head <= this.#head) return;
    await this.#extendTail(head);
    this.#head = head;
    this.#news.ring();
  }

  async #extendTail(head: number): Promise<void> {
    const missed = head - this.#head;
    if (this.#listeners === 0 || missed > PAGE_CHANGES_MAX) {
      this.#tail.reset(head);
      return;
    }
    const range = { after: this.#head, upTo: head, tenant: null, limit: missed };
    this.#tail.push(await readChanges(this.#options.orm.em.fork(), range));
  }

  async #readDatabase(after: number, upTo: number, tenant: string | null): Promise<Change[]> {
    const range = { after, upTo, tenant, limit: PAGE_CHANGES_MAX };
    const found = await inTenant(tenant, () => orUnavailable(readChanges(this.#options.orm.em.fork(), range)));
    return found.map(({ change }) => change);
  }

  #warn(error: unknown): void {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    this.#options.warn(`The change log could not be read: ${why instanceof Error ? why.message : String(why)}`);
  }
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refuseIfUnavailable(error);
  }
}
