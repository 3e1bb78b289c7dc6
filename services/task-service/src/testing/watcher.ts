// A client of watches, as a good one is: it keeps the last token, resumes with it wherever it was cut, waits a little where
// the database is away, and begins anew where its token is refused as out of range.

import { Refusal } from "@helix-zed/domain";
import type { Recorded } from "@helix-zed/harness/watch-record.ts";
import { watch } from "../application/watch.ts";
import { resumeTokens } from "../application/watch-cursor.ts";
import type { WatchEvent, WatchMessage } from "../application/watch.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import type { TestApp } from "./test-app.ts";

/** How a watcher is treated. */
export interface WatcherOptions {
  /** The replicas that it may be connected to, each time another. */
  readonly apps: readonly TestApp[];
  readonly filter: WatchFilter;
  /** How many messages a connection lives at most, its snapshot aside; `Infinity` for one that is never cut. */
  readonly messagesMax: number;
  /** How many changes it stays away for when it was cut. */
  readonly awayForChanges?: number;
}

/** A watcher that is cut at random and resumes with its last token, and notes what it sees. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #record: Recorded[] = [];
  #token = "";
  #isStopped = false;
  readonly #synced = Promise.withResolvers<void>();
  /** Whether the watch ended by itself. */
  hasEnded = false;
  connections = 0;
  /** How often its token was refused as out of range. */
  expiries = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** When its snapshot is complete for the first time. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Watches until it is told how far the log goes and has come that far. Gives what it saw since its last snapshot. */
  async run(lastSeq: Promise<number>): Promise<readonly Recorded[]> {
    let last = Infinity;
    void lastSeq.then((seq) => (last = seq));
    while (!this.#isStopped) {
      // A watch that is cut within its snapshot begins anew.
      if (this.#token === "") this.#record.length = 0;
      this.connections++;
      await this.#connect(() => last).catch((error: unknown) => this.#recover(error));
      await this.#stayAway(() => last);
    }
    return this.#record;
  }

  async #connect(last: () => number): Promise<void> {
    const { filter, messagesMax } = this.#options;
    let messages = Math.ceil(Math.random() * messagesMax);
    const signal = new AbortController().signal;
    for await (const message of watch(this.#app(), { filter, resumeToken: this.#token, signal })) {
      this.#note(message);
      if (this.#seq() >= last()) this.#isStopped = true;
      // Most cuts come after the snapshot: a watch that is always cut within it never gets anywhere.
      if (message.resumeToken !== "") messages--;
      else if (messagesMax < Infinity && Math.random() < 0.002) messages = 0;
      if (this.#isStopped || messages <= 0) return;
    }
    this.hasEnded = true;
    this.#isStopped = true;
  }

  async #recover(error: unknown): Promise<void> {
    if (!(error instanceof Refusal)) throw error;
    if (error.reason === "RESUME_TOKEN_EXPIRED") {
      this.#token = "";
      this.expiries++;
    } else if (error.retryAfterMs !== undefined) {
      await this.#app().world.sleep(20);
    } else {
      throw error;
    }
  }

  async #stayAway(last: () => number): Promise<void> {
    const { awayForChanges = 0 } = this.#options;
    const backAt = this.#seq() + awayForChanges;
    const app = this.#app();
    while (app.database.feed.head < Math.min(backAt, last())) await app.world.sleep(2);
  }

  #app(): TestApp {
    const { apps } = this.#options;
    const app = apps[Math.floor(Math.random() * apps.length)];
    if (app === undefined) throw new Error("There is nothing to connect to.");
    return app;
  }

  #seq(): number {
    return this.#token === "" ? -1 : resumeTokens.decode(this.#token, this.#options.filter).seq;
  }

  #note({ event, resumeToken }: WatchMessage): void {
    this.#token = resumeToken;
    if (resumeToken !== "") this.#synced.resolve();
    this.#record.push({ atMs: performance.now(), token: resumeToken, connection: this.connections, ...seenIn(event) });
  }
}

/** What a message says, in the words of those who judge. */
export function seenIn(event: WatchEvent): Pick<Recorded, "seen" | "tenant"> {
  if (event.kind === "progress") return { seen: "progress", tenant: null };
  if (event.kind === "synced") return { seen: { kind: "synced" }, tenant: null };
  if (event.kind === "deleted") return { seen: { kind: "deleted", id: event.id }, tenant: null };
  const { id, version, tenant } = event.resource.kind === "task" ? event.resource.task : event.resource.workSession;
  return { seen: { kind: "changed", id, version }, tenant };
}
