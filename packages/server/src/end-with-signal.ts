import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Refusal, type World } from "@helix-zed/domain";
import { callKey, endingOf } from "./call.ts";
import { type EndOfToken, endOfToken } from "./end-of-token.ts";
import { type Ending, endingOfSignal } from "./ending.ts";
import { withMessages } from "./oversee-stream.ts";
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
    const ending = endingOf(request);
    if (!request.stream) {
      const over = new Interruption([ending]);
      const timer = setTimeout(() => over.interrupt(tooLate()), unaryTimeoutMs);
      try {
        return await over.orResult(() => next(request));
      } finally {
        clearTimeout(timer);
        over.dispose();
      }
    }
    const response = await next(request);
    if (!response.stream) return response;
    const messages = response.message;
    const authentication = request.contextValues.get(callKey)?.authentication ?? null;
    const begin = (): AsyncIterator<Message> => {
      const token = endOfToken(authentication, world);
      const endings = [draining, ...token.signals].map(endingOfSignal);
      const over = new Interruption([ending, ...endings]);
      return new Interruptible(messages[Symbol.asyncIterator](), over, token);
    };
    return withMessages(response, { [Symbol.asyncIterator]: begin });
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

/** A stream until it is interrupted. */
class Interruptible<T> implements AsyncIterator<T> {
  readonly #messages: AsyncIterator<T>;
  readonly #over: Interruption;
  readonly #token: EndOfToken;
  #isDone = false;

  constructor(messages: AsyncIterator<T>, over: Interruption, token: EndOfToken) {
    this.#messages = messages;
    this.#over = over;
    this.#token = token;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    return this.#over.orResult(this.#read).then(this.#pass, this.#fail);
  }

  return(): Promise<IteratorResult<T>> {
    this.#dispose();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<never> {
    this.#dispose();
    return Promise.reject(error);
  }

  readonly #read = (): Promise<IteratorResult<T>> => this.#messages.next();

  readonly #pass = (result: IteratorResult<T>): IteratorResult<T> => {
    if (result.done === true) this.#dispose();
    return result;
  };

  readonly #fail = (error: unknown): never => {
    this.#dispose();
    throw error;
  };

  #dispose(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#over.dispose();
    this.#token.dispose();
    // Not awaited: a generator that waits for something cannot return before that happens, and may never.
    this.#messages.return?.().catch(() => {});
  }
}

/** Interrupts waiting as soon as one of its endings comes. Listens once, however often something is waited for. */
class Interruption {
  readonly #endings: readonly Ending[];
  #reject: (reason: unknown) => void = () => {};

  constructor(endings: readonly Ending[]) {
    this.#endings = endings;
    // Before the work begins, so that we are told first and give the reason rather than what the work makes of it.
    for (const ending of endings) ending.listen(this.#onEnd);
  }

  /** What the work gives, or the reason for the interruption, whichever is first. */
  orResult<T>(work: () => Promise<T>): Promise<T> {
    const over = this.#over();
    if (over !== undefined) return Promise.reject(over.reason);
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
    for (const ending of this.#endings) ending.unlisten(this.#onEnd);
  }

  #over(): Ending | undefined {
    return this.#endings.find(({ isOver }) => isOver);
  }

  readonly #onEnd = (): void => this.interrupt(this.#over()?.reason);
}
