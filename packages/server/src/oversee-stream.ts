import type { StreamRequest, StreamResponse } from "@connectrpc/connect";

/**
 * A request or response with another stream of messages. Unlike `{ ...response, message }` it leaves alone what is made
 * only when somebody asks for it.
 */
export function withMessages<Call extends StreamRequest | StreamResponse>(call: Call, message: Call["message"]): Call {
  return Object.create(Object.getPrototypeOf(call), {
    ...Object.getOwnPropertyDescriptors(call),
    message: { value: message, enumerable: true },
  });
}

/** What is done with a stream on its way. */
export interface Overseer<From, To> {
  readonly message: (message: From) => To;
  readonly ended?: () => void;
  /** What to throw instead of an error. */
  readonly failed?: (error: unknown) => unknown;
}

/**
 * A stream under somebody's eyes. Unlike an async generator it adds one promise to a message, not three, and next to
 * nothing to the memory of a stream that waits.
 */
export function overseeStream<From, To>(
  messages: AsyncIterable<From>,
  overseer: Overseer<From, To>,
): AsyncIterable<To> {
  return { [Symbol.asyncIterator]: () => new Overseen(messages[Symbol.asyncIterator](), overseer) };
}

class Overseen<From, To> implements AsyncIterator<To> {
  readonly #messages: AsyncIterator<From>;
  readonly #overseer: Overseer<From, To>;

  constructor(messages: AsyncIterator<From>, overseer: Overseer<From, To>) {
    this.#messages = messages;
    this.#overseer = overseer;
  }

  next(): Promise<IteratorResult<To>> {
    return this.#messages.next().then(this.#pass, this.#fail);
  }

  async return(): Promise<IteratorResult<To>> {
    await this.#messages.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  readonly #pass = (result: IteratorResult<From>): IteratorResult<To> => {
    if (result.done !== true) return { done: false, value: this.#overseer.message(result.value) };
    this.#overseer.ended?.();
    return { done: true, value: undefined };
  };

  readonly #fail = (error: unknown): never => {
    throw this.#overseer.failed === undefined ? error : this.#overseer.failed(error);
  };
}
