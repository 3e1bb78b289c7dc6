// The feed: one per process, between the log and all watchers of the process
//
//   a commit here ─┐
//   NOTIFY ────────┼─▶ refresh ─▶ number what is committed ─▶ read it once ─▶ tail ─▶ wake whom it concerns
//   the poll ──────┘
//
// `refresh` is a group: while one runs, everybody who asks waits for the one after it, which covers them all. It is never
// needed for a commit to count, so a failure is left to the next poll. Numbering and the shared end of the log are of all
// tenants; a watcher is given what is of its own (log-reader.ts). So the database is asked as often for one watcher as for
// a thousand, as long as they keep up.
//
// The log that we follow may cease to be the one that it was: a standby took over and lacks the last commits, a backup was
// restored, the database was made anew. Its epoch then changes; the database notices most of it by itself (migration
// 0005), and what it cannot notice shows here: numbers that go back. All watches of the old epoch end.

import type { World } from "@helix-zed/domain";
import { Doorbell, inTenant, refuseIfUnavailable } from "@helix-zed/persistence";
import type { MikroORM } from "@mikro-orm/postgresql";
import {
  beginEpoch,
  type LogBounds,
  type LogPiece,
  type LogRange,
  readBounds,
  readChanges,
  refreshLog,
} from "./change-reader.ts";
import { ChangeTail } from "./change-tail.ts";
import { LogNotifier } from "./log-notifier.ts";
import { type ChangePage, LogReader, type LogSource } from "./log-reader.ts";
import { withinTime } from "./within-time.ts";

/** How a feed reaches the database. */
export interface FeedConnections {
  /** For watchers that read further back than the tail; shared with everybody else. */
  readonly orm: MikroORM;
  /** For what all watchers wait for. */
  readonly ownOrm: MikroORM;
}

/** What a feed needs. */
export interface ChangeFeedOptions extends FeedConnections {
  readonly world: Pick<World, "sleep">;
  readonly pollMs: number;
  /** How often at most other processes are told of new numbers; `Infinity` for never: they poll. */
  readonly notifyIntervalMs: number;
  /** How many of the newest changes are held for all watchers. */
  readonly tailChangesMax: number;
  readonly warn: (message: string) => void;
}

/** What a watcher is given at a time, and holds while it delivers it. */
const PAGE_CHANGES_MAX = 100;
/** What the process takes in at a time. */
const INTAKE_CHANGES_MAX = 500;
/** Further behind than this (asleep, cut off), a process leaves it to its watchers to read what they need. */
const MISSED_CHANGES_MAX = 20_000;
/** A connection that is open on our side only would be waited for for ever. */
const ANSWER_MS_MAX = 5_000;

/** Where the watchers of this process read the log. */
export class ChangeFeed {
  /** Rung with a number that was given out, or without one, as a hint that there may be something new. */
  readonly hints: Pick<Doorbell, "ring"> = { ring: (seq) => this.#hint(seq) };
  readonly #wakeUps = new Doorbell();
  readonly #options: ChangeFeedOptions;
  readonly #tail: ChangeTail;
  readonly #readers = new Set<LogReader>();
  readonly #pages = new Map<string, Promise<ChangePage>>();
  readonly #notifier: LogNotifier;
  readonly #closing = new AbortController();
  #bounds: LogBounds;
  #lookAroundAtMs = 0;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(options: ChangeFeedOptions, bounds: LogBounds) {
    this.#options = options;
    this.#bounds = bounds;
    this.#tail = new ChangeTail(bounds.head, options.tailChangesMax);
    const { ownOrm, notifyIntervalMs: intervalMs, world } = options;
    const send = (head: number): Promise<unknown> =>
      inTenant(null, () => ownOrm.em.fork().execute("select pg_notify('change_log', ?)", [String(head)]));
    this.#notifier = new LogNotifier({ send, intervalMs, world, signal: this.#closing.signal });
  }

  /** A feed that knows where the log ends. */
  static async open(options: ChangeFeedOptions): Promise<ChangeFeed> {
    return new ChangeFeed(options, await inTenant(null, () => readBounds(options.ownOrm.em.fork())));
  }

  /** The ends of the log as this process knows them since its last refresh. */
  get bounds(): LogBounds {
    return this.#bounds;
  }

  /** The last number that this process knows of. */
  get head(): number {
    return this.#bounds.head;
  }

  /** Reads for a watch of one tenant or (`null`) of all. To be closed. */
  read(tenant: string | null): LogReader {
    const source: LogSource = { bounds: () => this.#bounds, page: (after) => this.#page(after, tenant) };
    const reader = new LogReader(source, tenant, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
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
      this.#closing.abort();
      ear.close();
    }
  }

  /** Most numbers that we hear of, we gave out ourselves. */
  #hint(seq: string | undefined): void {
    if (seq === undefined) this.#lookAroundAtMs = 0;
    else this.#notifier.heard(Number(seq));
    if (seq === undefined || Number(seq) > this.#bounds.head) this.#wakeUps.ring();
  }

  #run(): Promise<void> {
    this.#next = undefined;
    this.#running = inTenant(null, () => orUnavailable(this.#refreshNow())).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #refreshNow(): Promise<void> {
    const { epoch, head } = this.#bounds;
    const bounds = await this.#askDatabase();
    if (bounds.epoch !== epoch) return this.#startOver(bounds);
    if (bounds.head < head) {
      await beginEpoch(this.#options.ownOrm.em.fork(), this.#bounds);
      return this.#startOver(await this.#askDatabase());
    }
    if (bounds.head === head) this.#bounds = bounds;
    else await this.#advance(bounds);
  }

  async #askDatabase(): Promise<LogBounds> {
    const nowMs = performance.now();
    const lookAround = nowMs >= this.#lookAroundAtMs;
    const bounds = await withinTime(ANSWER_MS_MAX, refreshLog(this.#options.ownOrm.em.fork(), { lookAround }));
    if (lookAround) this.#lookAroundAtMs = nowMs + this.#options.pollMs;
    return bounds;
  }

  #startOver(bounds: LogBounds): void {
    this.#tail.reset(bounds.head);
    this.#bounds = bounds;
    for (const reader of this.#readers) reader.hear(0);
    this.#options.warn("The change log is another than it was: watches begin anew.");
  }

  /** Takes in what is new, page by page, so that watchers who keep up find it in the tail. */
  async #advance(bounds: LogBounds): Promise<void> {
    this.#notifier.tell(bounds.head);
    const missed = bounds.head - this.#bounds.head;
    if (this.#readers.size === 0 || missed > MISSED_CHANGES_MAX) return this.#skipTo(bounds);
    while (this.#bounds.head < bounds.head) {
      const { head: after } = this.#bounds;
      const upTo = Math.min(bounds.head, after + INTAKE_CHANGES_MAX);
      const piece = await readPiece(this.#options.ownOrm, { after, upTo, tenant: null, limit: INTAKE_CHANGES_MAX });
      if (piece.floor > after) return this.#skipTo(bounds);
      this.#tail.push(piece.changes);
      this.#bounds = { ...bounds, head: upTo };
      this.#wake(piece, after);
    }
  }

  #wake({ changes }: LogPiece, after: number): void {
    const tenants = new Set(changes.map(({ change }) => change.tenant));
    for (const reader of this.#readers) {
      if (reader.tenant === null || tenants.has(reader.tenant)) reader.hear(after);
    }
  }

  #skipTo(bounds: LogBounds): void {
    const { head: after } = this.#bounds;
    this.#tail.reset(bounds.head);
    this.#bounds = bounds;
    for (const reader of this.#readers) reader.hear(after);
  }

  async #page(after: number, tenant: string | null): Promise<ChangePage> {
    const { head } = this.#bounds;
    if (this.#tail.covers(after)) {
      const upTo = Math.min(head, after + PAGE_CHANGES_MAX);
      const changes = this.#tail.between(after, upTo);
      return { changes: tenant === null ? changes : changes.filter((change) => change.tenant === tenant), upTo };
    }
    return this.#sharedPage(after, tenant, head);
  }

  /** Watchers that stand at the same place (after a restart all of them resume) share one query. */
  #sharedPage(after: number, tenant: string | null, head: number): Promise<ChangePage> {
    const key = JSON.stringify([after, head, tenant]);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#readPage(after, tenant, head).finally(() => this.#pages.delete(key));
    this.#pages.set(key, page);
    return page;
  }

  async #readPage(after: number, tenant: string | null, head: number): Promise<ChangePage> {
    const range = { after, upTo: head, tenant, limit: PAGE_CHANGES_MAX };
    const piece = await inTenant(tenant, () => orUnavailable(readPiece(this.#options.orm, range)));
    if (piece.floor > after) return "gone";
    const changes = piece.changes.map(({ change }) => change);
    const last = changes.at(-1);
    return { changes, upTo: changes.length === PAGE_CHANGES_MAX && last !== undefined ? last.seq : head };
  }

  #warn(error: unknown): void {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    this.#options.warn(`The change log could not be read: ${why instanceof Error ? why.message : String(why)}`);
  }
}

function readPiece(orm: MikroORM, range: LogRange): Promise<LogPiece> {
  return withinTime(ANSWER_MS_MAX, readChanges(orm.em.fork(), range));
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refuseIfUnavailable(error);
  }
}
