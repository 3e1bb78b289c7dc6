/** Runs one piece of work after the other, in the order in which they were given. */
export class CommandQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs the work when everything before it is over, however that ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
