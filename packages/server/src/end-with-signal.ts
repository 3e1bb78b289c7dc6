import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Refusal, type World } from "@helix-zed/domain";
import { callKey } from "./call.ts";
import { type EndOfToken, endOfToken } from "./end-of-token.ts";
import type { ServerReason } from "./server-reasons.ts";

/** When calls are over. */
export interface EndOptions {
  /** Aborts when the server begins to stop. */
  readonly draining: AbortSignal;
  /** How long a call that is no stream may take, whatever its deadline. */
  readonly unaryTimeoutMs: number;
  readonly world: Pick<World, "now">;
}

/**
 * Ends calls when they are over, whether their handler listens to its signal or not: all of them at their deadline, and
 * streams also when the server drains, so that a watch cannot hold up a restart, and when the token that opened them is
 * no longer good. Connect aborts the signal of a call that
 * ends with an error, so handlers find all of it there. One that goes on regardless talks to nobody.
 */
export function endWithSignal({ draining, unaryTimeoutMs, world }: EndOptions): Interceptor {
  return (next) => async (request) => {
    if (!request.stream) {
      const over = new Interruption([request.signal]);
      const timer = setTimeout(() => over.interrupt(tooLate()), unaryTimeoutMs);
      return over
        .orResult(() => next(request))
        .finally(() => {
          clearTimeout(timer);
          over.dispose();
        });
    }
    const response = await next(request);
    if (!response.stream) return response;
    const authentication = request.contextValues.get(callKey)?.authentication ?? null;
    const message = until(response.message, [request.signal, draining], () => endOfToken(authentication, world));
    return { ...response, message };
  };
}

/** Why streams end when the server stops. */
export function drainingRefusal(): Refusal<ServerReason> {
  const message = "The server is stopping. Connect again.";
  return new Refusal("SERVER_DRAINING", message, {}, { retryAfterMs: 1_000 });
}

function tooLate(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

async function* until<T>(
  messages: AsyncIterable<T>,
  signals: readonly AbortSignal[],
  openToken: () => EndOfToken,
): AsyncIterable<T> {
  const iterator = messages[Symbol.asyncIterator]();
  const token = openToken();
  const over = new Interruption([...signals, ...token.signals]);
  try {
    for (;;) {
      const result = await over.orResult(() => iterator.next());
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    over.dispose();
    token.dispose();
    // Not awaited: a generator that waits for something cannot return before that happens, and may never.
    iterator.return?.().catch(() => {});
  }
}

/** Interrupts waiting as soon as one of the signals aborts. Listens once, however often something is waited for. */
class Interruption {
  readonly #signals: readonly AbortSignal[];
  #reject: (reason: unknown) => void = () => {};

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
    // Before the work begins, so that we are told first and give the reason rather than what the work makes of it.
    for (const signal of signals) signal.addEventListener("abort", this.#onAbort);
  }

  /** What the work gives, or the reason for the interruption, whichever is first. */
  orResult<T>(work: () => Promise<T>): Promise<T> {
    const aborted = this.#aborted();
    if (aborted !== undefined) return Promise.reject(aborted.reason);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work().then(resolve, reject);
    });
  }

  /** Ends the waiting for this reason. */
  interrupt(reason: unknown): void {
    this.#reject(reason);
  }

  dispose(): void {
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
  }

  #aborted(): AbortSignal | undefined {
    return this.#signals.find((signal) => signal.aborted);
  }

  readonly #onAbort = (): void => this.interrupt(this.#aborted()?.reason);
}
