import { systemWorld, type World } from "@helix-zed/domain";

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** A world whose clock moves when it is told to. Who sleeps in it wakes when enough time was let pass. */
export class SimulatedWorld implements World {
  readonly #world = systemWorld();
  readonly #sleepers = new Set<Sleeper>();
  #nowMs = Date.parse("2026-01-01T00:00:00Z");

  now(): Date {
    return new Date(this.#nowMs);
  }

  /** Lets time pass. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
    for (const { untilMs, wake } of this.#sleepers) if (untilMs <= this.#nowMs) wake();
  }

  newId(prefix: string): string {
    return this.#world.newId(prefix);
  }

  newSecret(): string {
    return this.#world.newSecret();
  }

  random(): number {
    return 0.5;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { untilMs: this.#nowMs + durationMs, wake: resolve };
    this.#sleepers.add(sleeper);
    if (signal?.aborted === true) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    return promise.finally(() => this.#sleepers.delete(sleeper));
  }
}
