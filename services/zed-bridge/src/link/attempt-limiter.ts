// Attempts to connect that failed
//
// Whoever guesses is slowed down before he costs anything: over the limit an attempt is answered without a look at the
// database. Only failures count, for each instance that an address tries and for all that it tries together, so one
// editor with an old token does not keep its neighbours on the same machine out. What is remembered is bounded.
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** Who tries, and as which instance. */
export interface Attempt {
  readonly address: string;
  readonly presentedId: string;
}

/** How many failures are allowed. */
export interface AttemptLimits {
  readonly perInstance: Rate;
  readonly perAddress: Rate;
  /** How many addresses and instances are remembered. */
  readonly keysMax?: number;
}

/** Ten failures at once for an instance and one each three seconds; two hundred and ten a second for an address. */
export const usualAttemptLimits: AttemptLimits = {
  perInstance: { perSecond: 1 / 3, burst: 10 },
  perAddress: { perSecond: 10, burst: 200 },
};

/** Remembers failed attempts for as long as they count. */
export class AttemptLimiter {
  readonly #limits: AttemptLimits;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limits: AttemptLimits = usualAttemptLimits) {
    this.#limits = limits;
  }

  /** How much is remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** How long the next attempt has to wait; 0: it may be made now. */
  waitMs(attempt: Attempt, nowMs: number): number {
    const waits = keysOf(attempt).map((key) => this.#buckets.get(key)?.waitMs(nowMs) ?? 0);
    return Math.max(...waits);
  }

  /** The attempt was made, and failed. */
  failed(attempt: Attempt, nowMs: number): void {
    const { perAddress, perInstance } = this.#limits;
    for (const [index, key] of keysOf(attempt).entries()) {
      const bucket = this.#buckets.get(key) ?? new TokenBucket(index === 0 ? perAddress : perInstance, nowMs);
      bucket.take(1, nowMs);
      this.#buckets.delete(key);
      this.#buckets.set(key, bucket);
    }
    this.#forget(nowMs);
  }

  /** Forgets what counts no more, and what failed longest ago if there is too much all the same. */
  #forget(nowMs: number): void {
    const { keysMax = 10_000 } = this.#limits;
    for (const [key, bucket] of this.#buckets) {
      if (this.#buckets.size <= keysMax && !bucket.isFull(nowMs)) return;
      this.#buckets.delete(key);
    }
  }
}

function keysOf({ address, presentedId }: Attempt): readonly [string, string] {
  return [address, `${address} ${presentedId}`];
}
