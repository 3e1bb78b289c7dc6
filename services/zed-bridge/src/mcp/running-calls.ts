import { z } from "zod";
import { type Rate, TokenBucket } from "../link/token-bucket.ts";

// What agents ask at the moment
//
// Two things need to be known of requests that are being answered: how many one agent has, because it may not have all it
// likes; and which of its calls is which, because over HTTP a cancellation is a request of its own. Both are kept here, in
// memory: another process that a cancellation reaches instead does nothing, and the call ends at its own limit.

const BUSY_RETRY_MS = 1_000;

/** How much one agent may ask. */
export interface CallLimits {
  readonly rate: Rate;
  /** How many requests may be open, and how many of them may be calls: a cancellation always finds room. */
  readonly requestsMax: number;
  readonly callsMax: number;
}

/** A call that is being answered. */
export interface RunningCall {
  /** Aborts when it is cancelled. */
  readonly signal: AbortSignal;
  abort(): void;
  /** It has been answered. */
  end(): void;
}

interface Holder {
  readonly bucket: TokenBucket;
  /** How many requests are open. */
  open: number;
  /** By the id of the JSON-RPC request; those without one under a name of their own. */
  readonly calls: Map<unknown, AbortController>;
}

const requestId = z.union([z.string(), z.number()]);
const request = z.object({ id: requestId, method: z.string() });
const cancellation = z.object({
  method: z.literal("notifications/cancelled"),
  params: z.object({ requestId }),
});

/** What is being answered, by who asked. */
export class RunningCalls {
  readonly #limits: CallLimits;
  readonly #holders = new Map<string, Holder>();

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** How many agents are remembered. */
  get holders(): number {
    return this.#holders.size;
  }

  /** Lets a request in and gives 0, or the time in milliseconds after which it may be tried again. */
  enter(holder: string, nowMs: number): number {
    this.#forget(nowMs);
    const known = this.#of(holder, nowMs);
    if (known.open >= this.#limits.requestsMax) return BUSY_RETRY_MS;
    const waitMs = known.bucket.waitMs(nowMs);
    if (waitMs > 0) return waitMs;
    known.bucket.take(1, nowMs);
    known.open += 1;
    return 0;
  }

  /** A request that was let in is over. */
  leave(holder: string): void {
    const known = this.#holders.get(holder);
    if (known !== undefined) known.open -= 1;
  }

  /** Begins to answer a call; `null` if the agent has too many already. */
  begin(holder: string, message: unknown, nowMs: number): RunningCall | null {
    const { calls } = this.#of(holder, nowMs);
    if (calls.size >= this.#limits.callsMax) return null;
    const parsed = request.safeParse(message);
    const id: unknown = parsed.success ? parsed.data.id : Symbol("no id");
    // An agent that has connected anew counts from the beginning: the newer call has the id from now on.
    const earlier = calls.get(id);
    if (earlier !== undefined) calls.set(Symbol("earlier"), earlier);
    const controller = new AbortController();
    calls.set(id, controller);
    return { signal: controller.signal, abort: () => controller.abort(), end: () => forgetCall(calls, controller) };
  }

  /** Aborts what a message cancels, if it is a cancellation. */
  cancel(holder: string, message: unknown): void {
    const parsed = cancellation.safeParse(message);
    if (parsed.success) this.#holders.get(holder)?.calls.get(parsed.data.params.requestId)?.abort();
  }

  /** Aborts everything. */
  abortAll(): void {
    for (const { calls } of this.#holders.values()) for (const call of calls.values()) call.abort();
  }

  #of(holder: string, nowMs: number): Holder {
    const known = this.#holders.get(holder);
    if (known !== undefined) return known;
    const made = { bucket: new TokenBucket(this.#limits.rate, nowMs), open: 0, calls: new Map() };
    this.#holders.set(holder, made);
    return made;
  }

  #forget(nowMs: number): void {
    for (const [holder, { bucket, open, calls }] of this.#holders) {
      if (open === 0 && calls.size === 0 && bucket.isFull(nowMs)) this.#holders.delete(holder);
    }
  }
}

function forgetCall(calls: Map<unknown, AbortController>, call: AbortController): void {
  for (const [key, each] of calls) if (each === call) calls.delete(key);
}
