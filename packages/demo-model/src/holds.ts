/**
 * Named places where an answer waits until somebody lets it go on.
 * A release is for good: whoever comes to the same name later does not wait.
 */
export class Holds {
  readonly #places = new Map<string, Place>();

  /** Waits here until the name is released or the agent hangs up. */
  async hold(name: string, signal: AbortSignal): Promise<void> {
    const place = this.#place(name);
    place.arrived.resolve();
    const hungUp = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error("the agent hung up"));
      if (signal.aborted) fail();
      signal.addEventListener("abort", fail, { once: true });
    });
    await Promise.race([place.released.promise, hungUp]);
  }

  /** Lets everyone who waits under this name go on. */
  release(name: string): void {
    this.#place(name).released.resolve();
  }

  /** Resolves when an answer has come to this name. */
  reached(name: string): Promise<void> {
    return this.#place(name).arrived.promise;
  }

  #place(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const made = { arrived: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    this.#places.set(name, made);
    return made;
  }
}

interface Place {
  readonly arrived: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}
