import type { World } from "../world.ts";

/** A clock that moves only when a test says so. */
export class SimulatedWorld implements World {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  #ids = 0;

  newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  /** Moves the clock, and runs what falls due on the way, in order. */
  advance(byMs: number): void {
    const until = this.#now + byMs;
    for (let next = this.#nextDue(until); next !== undefined; next = this.#nextDue(until)) {
      this.#now = next.at;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.run();
    }
    this.#now = until;
  }

  #nextDue(until: number): { readonly at: number; readonly run: () => void } | undefined {
    return this.#timers.filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0];
  }
}
