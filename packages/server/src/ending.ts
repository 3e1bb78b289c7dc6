import type { HandlerContext } from "@connectrpc/connect";

/** Tells that something is over, and why. Costs less than an `AbortSignal` where nobody needs one. */
export interface Ending {
  readonly isOver: boolean;
  /** Why it is over; meaningless before. */
  readonly reason: unknown;
  /** Calls the listener once, when it is over; not if it is over already. */
  listen(listener: () => void): void;
  unlisten(listener: () => void): void;
}

/** The end of a call: as its context tells it or, where that cannot, as its signal does. */
export function endingOfCall(context: Pick<HandlerContext, "signal"> | Ending): Ending {
  return "listen" in context ? context : endingOfSignal(context.signal);
}

/** A signal, seen as an ending. */
export function endingOfSignal(signal: AbortSignal): Ending {
  return new EndOfSignal(signal);
}

class EndOfSignal implements Ending {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason;
  }

  listen(listener: () => void): void {
    this.#signal.addEventListener("abort", listener, { once: true });
  }

  unlisten(listener: () => void): void {
    this.#signal.removeEventListener("abort", listener);
  }
}
