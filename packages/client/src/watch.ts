import { Code } from "@connectrpc/connect";
import { type Clock, systemClock } from "./clock.ts";
import { resumeWatch } from "./resume-watch.ts";
import { StatusOfWatch, type WatchStatus } from "./watch-status.ts";

/** A message of any of the services' watches, as far as following it depends on it. */
export interface WatchMessage {
  readonly resumeToken: string;
  readonly event: { readonly case: "changed" | "deleted" | "synced" | "progress" | undefined };
}

/** How a watch is followed. */
export interface WatchOptions {
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** How long a stream may be silent before it counts as broken, in milliseconds. Default 45,000. */
  readonly silenceMaxMs?: number;
  /** The longest pause between two tries unless the server asks for a longer one, in milliseconds. Default 5,000. */
  readonly retryMaxMs?: number;
}

/** What a followed watch yields. `reset`: a snapshot follows, after which what was not in it is gone. */
export type FollowedEvent<Message> =
  | { readonly kind: "reset" }
  | { readonly kind: "message"; readonly message: Message };

/** Codes after which trying again cannot help. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.FailedPrecondition,
]);

const isRefusal = (code: Code): boolean => REFUSALS.has(code);

/**
 * A watch that goes on until everything that it watches has ended, over as many streams as that takes. Iterate over it
 * once; `status` and `subscribe` tell how the connection is meanwhile. Throws the server's error if it is refused.
 */
export class Watch<Message extends WatchMessage> implements AsyncIterable<FollowedEvent<Message>> {
  readonly #open: (resumeToken: string, signal: AbortSignal) => AsyncIterable<Message>;
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  readonly #status = new StatusOfWatch();

  constructor(open: (resumeToken: string, signal: AbortSignal) => AsyncIterable<Message>, options: WatchOptions = {}) {
    this.#open = open;
    this.#options = options;
  }

  /** Where it stands. A new object after each change. */
  get status(): WatchStatus {
    return this.#status.current;
  }

  /** Calls `listener` after each change of the status, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    return this.#status.subscribe(listener);
  }

  /** Ends it. */
  close(): void {
    this.#closing.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FollowedEvent<Message>, void> {
    const { clock = systemClock, signal, ...patience } = this.#options;
    const closing = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    let snapshot = true;
    try {
      const events = resumeWatch({ open: this.#open, clock, signal: closing, ends: true, isRefusal, ...patience });
      for await (const event of events) {
        if (event.kind === "message") {
          this.#follow(event.message, snapshot, clock.now());
          yield event;
        } else if (event.kind === "opening") {
          this.#status.move("retry", { now: clock.now() });
          snapshot = event.snapshot;
          if (snapshot) yield { kind: "reset" };
        } else {
          const { error, retryAfterMs } = event;
          this.#status.move("break", { now: clock.now(), error, retryAfterMs });
        }
      }
      this.#status.move(closing.aborted ? "close" : "end", { now: clock.now() });
    } catch (error) {
      this.#status.move("refuse", { now: clock.now(), error });
      throw error;
    } finally {
      // For a reader that left the loop. Means nothing after another end.
      this.#status.move("close", { now: clock.now() });
    }
  }

  #follow(message: WatchMessage, snapshot: boolean, now: Date): void {
    this.#status.hear(now);
    this.#status.move(snapshot ? "snapshot" : "resume", { now });
    if (message.event.case === "synced") this.#status.move("synced", { now });
  }
}
