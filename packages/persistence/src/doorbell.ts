// A doorbell inside the process: somebody rings, those who listen look for themselves what is new.
//
// A ring carries no news and may be missed by those who do not listen yet. One that comes between two waits of an ear is
// kept for the second, so "look, then wait" misses nothing. It costs a listener one object, whatever happens.

/** One listener. */
export interface Ear {
  /** Waits for a ring, at most `timeoutMs`. Rejects with the signal's reason as soon as it aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Listens no more. */
  close(): void;
}

/** Rings for all, or for those who listen to one topic. */
export class Doorbell {
  readonly #ears = new Set<TopicEar>();

  /** Listens to one topic; without one, to all of them. */
  listen(topic?: string): Ear {
    const ear = new TopicEar(topic, () => this.#ears.delete(ear));
    this.#ears.add(ear);
    return ear;
  }

  /** Rings for those who listen to the topic and those who listen to all; without a topic, for everybody. */
  ring(topic?: string): void {
    for (const ear of this.#ears) {
      if (topic === undefined || ear.topic === undefined || ear.topic === topic) ear.hear();
    }
  }
}

class TopicEar implements Ear {
  readonly topic: string | undefined;
  readonly close: () => void;
  #rang = false;
  #wake: (() => void) | undefined;

  constructor(topic: string | undefined, close: () => void) {
    this.topic = topic;
    this.close = close;
  }

  hear(): void {
    this.#rang = true;
    this.#wake?.();
  }

  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#rang) await this.#ringOrTimeout(timeoutMs, signal);
    this.#rang = false;
    signal.throwIfAborted();
  }

  #ringOrTimeout(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}
