// The flow of frames into a link
//
// A socket is read while nothing speaks against it. Two things do: too much waits to be taken in, or more has come than
// may in this time. Either way the sender waits, in the end by TCP itself, and nothing is lost.
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** What the flow of a link depends on. */
export interface FlowOptions {
  readonly frameRate: Rate;
  readonly byteRate: Rate;
  readonly nowMs: () => number;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Said once each time that the sender is made to wait because it sends too much. */
  readonly onTooFast: () => void;
}

/** Why a socket is not read. */
type Obstacle = "inbox" | "rate";

/** Decides whether a socket is read. */
export class Flow {
  readonly #options: FlowOptions;
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #obstacles = new Set<Obstacle>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#frames = new TokenBucket(options.frameRate, options.nowMs());
    this.#bytes = new TokenBucket(options.byteRate, options.nowMs());
  }

  /** Whether the socket is not read now. */
  get stopped(): boolean {
    return this.#obstacles.size > 0;
  }

  /** A frame has come. */
  count(bytes: number): void {
    const now = this.#options.nowMs();
    this.#frames.take(1, now);
    this.#bytes.take(bytes, now);
    const waitMs = Math.max(this.#frames.waitMs(now), this.#bytes.waitMs(now));
    if (waitMs === 0 || this.#obstacles.has("rate")) return;
    this.#options.onTooFast();
    this.stop("rate");
    this.#timer = setTimeout(() => this.go("rate"), waitMs);
  }

  stop(obstacle: Obstacle): void {
    if (!this.stopped) this.#options.pause();
    this.#obstacles.add(obstacle);
  }

  go(obstacle: Obstacle): void {
    this.#obstacles.delete(obstacle);
    if (!this.stopped) this.#options.resume();
  }

  /** The socket has ended. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
