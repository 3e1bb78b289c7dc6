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
export interface Overseer<T> {
  /** What to pass on instead of a message. */
  readonly message?: (this: void, message: T) => T;
  readonly ended?: (this: void) => void;
  /** What to throw instead of an error. */
  readonly failed?: (this: void, error: unknown) => unknown;
}

/**
 * A stream under somebody's eyes. Unlike an async generator it adds one promise to a message, not three, and next to
 * nothing to the memory of a stream that waits; nothing at all if the stream has an overseer already.
 */
export function overseeStream<T>(messages: AsyncIterable<T>, overseer: Overseer<T>): AsyncIterable<T> {
  return messages instanceof OverseenStream ? messages.with(overseer) : new OverseenStream(messages, [overseer]);
}

class OverseenStream<T> implements AsyncIterable<T> {
  readonly #messages: AsyncIterable<T>;
  /** The innermost first. */
  readonly #overseers: readonly Overseer<T>[];

  constructor(messages: AsyncIterable<T>, overseers: readonly Overseer<T>[]) {
    this.#messages = messages;
    this.#overseers = overseers;
  }

  with(overseer: Overseer<T>): AsyncIterable<T> {
    return new OverseenStream(this.#messages, [...this.#overseers, overseer]);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return new Overseen(this.#messages[Symbol.asyncIterator](), this.#overseers);
  }
}

class Overseen<T> implements AsyncIterator<T> {
  readonly #messages: AsyncIterator<T>;
  readonly #overseers: readonly Overseer<T>[];

  constructor(messages: AsyncIterator<T>, overseers: readonly Overseer<T>[]) {
    this.#messages = messages;
    this.#overseers = overseers;
  }

  next(): Promise<IteratorResult<T>> {
    return this.#messages.next().then(this.#pass, this.#fail);
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#messages.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  readonly #pass = (result: IteratorResult<T>): IteratorResult<T> => {
    if (result.done === true) {
      for (const { ended } of this.#overseers) ended?.();
      return result;
    }
    let { value } = result;
    for (const { message } of this.#overseers) if (message !== undefined) value = message(value);
    return { done: false, value };
  };

  readonly #fail = (error: unknown): never => {
    let last = error;
    for (const { failed } of this.#overseers) if (failed !== undefined) last = failed(last);
    throw last;
  };
}
