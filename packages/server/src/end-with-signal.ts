import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import type { ServerReason } from "./server-reasons.ts";

/** When calls are over. */
export interface EndOptions {
  /** Aborts when the server begins to stop. */
  readonly draining: AbortSignal;
  /** How long a call that is no stream may take, whatever its deadline. */
  readonly unaryTimeoutMs: number;
}

/**
 * Ends calls when they are over, whether their handler listens to its signal or not: all of them at their deadline, and
 * streams also when the server drains, so that a watch cannot hold up a restart. Handlers find all of it in their signal.
 * A handler that goes on regardless talks to nobody.
 */
export function endWithSignal({ draining, unaryTimeoutMs }: EndOptions): Interceptor {
  return (next) => async (request) => {
    if (!request.stream) {
      return withTimeout(unaryTimeoutMs, (late) => {
        const signal = AbortSignal.any([request.signal, late]);
        return first(() => next({ ...request, signal }), signal);
      });
    }
    const signal = AbortSignal.any([request.signal, draining]);
    const response = await first(() => next({ ...request, signal }), signal);
    return response.stream ? { ...response, message: until(response.message, signal) } : response;
  };
}

/** Why streams end when the server stops. */
export function drainingRefusal(): Refusal<ServerReason> {
  const message = "The server is stopping. Connect again.";
  return new Refusal("SERVER_DRAINING", message, {}, { retryAfterMs: 1_000 });
}

async function withTimeout<T>(timeoutMs: number, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  }, timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function* until<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await first(() => iterator.next(), signal);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a generator that waits for something cannot return before that happens, and may never.
    iterator.return?.().catch(() => {});
  }
}

/** What `work` gives, or the signal's reason, whichever is first. */
function first<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) {
      abort();
      return;
    }
    // Before the work begins, so that we are told first and give the reason rather than what the work makes of it.
    signal.addEventListener("abort", abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
