import { systemWorld, type World } from "@helix-zed/domain";

/** A world whose clock moves when it is told to. */
export class SimulatedWorld implements World {
  readonly #world = systemWorld();
  #nowMs = Date.parse("2026-01-01T00:00:00Z");

  now(): Date {
    return new Date(this.#nowMs);
  }

  /** Lets time pass. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
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

  async sleep(durationMs: number): Promise<void> {
    this.pass(durationMs);
  }
}
