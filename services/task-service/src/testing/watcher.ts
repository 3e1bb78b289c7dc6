import type { Seen } from "@helix-zed/harness/watch-history.ts";
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
}

/** A watcher that is cut at random and resumes with its last token, and notes what it sees. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #seen: Seen[] = [];
  #token = "";
  #isStopped = false;
  connections = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Watches until it is told how far the log goes and has come that far. */
  async run(lastSeq: Promise<number>): Promise<readonly Seen[]> {
    let last = Infinity;
    void lastSeq.then((seq) => (last = seq));
    while (!this.#isStopped) {
      // A watch that is cut within its snapshot begins anew.
      if (this.#token === "") this.#seen.length = 0;
      this.connections++;
      await this.#connect(() => last);
    }
    return this.#seen;
  }

  async #connect(last: () => number): Promise<void> {
    const { apps, filter, messagesMax } = this.#options;
    const app = apps[Math.floor(Math.random() * apps.length)];
    if (app === undefined) throw new Error("There is nothing to connect to.");
    let messages = Math.ceil(Math.random() * messagesMax);
    const signal = new AbortController().signal;
    for await (const message of watch(app, { filter, resumeToken: this.#token, signal })) {
      this.#note(message);
      const { resumeToken } = message;
      if (this.#token !== "" && resumeTokens.decode(this.#token, filter).seq >= last()) this.#isStopped = true;
      // Most cuts come after the snapshot: a watch that is always cut within it never gets anywhere.
      if (resumeToken !== "") messages--;
      else if (messagesMax < Infinity && Math.random() < 0.002) messages = 0;
      if (this.#isStopped || messages <= 0) return;
    }
    this.#isStopped = true;
  }

  #note({ event, resumeToken }: WatchMessage): void {
    this.#token = resumeToken;
    const seen = seenIn(event);
    if (seen !== null) this.#seen.push(seen);
  }
}

function seenIn(event: WatchEvent): Seen | null {
  if (event.kind === "progress") return null;
  if (event.kind === "synced") return { kind: "synced" };
  if (event.kind === "deleted") return { kind: "deleted", id: event.id };
  const { id, version } = event.resource.kind === "task" ? event.resource.task : event.resource.workSession;
  return { kind: "changed", id, version };
}
