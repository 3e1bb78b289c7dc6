import type { ZedWorld } from "./zed-world.ts";

const POLL_MS = 50;
const PATIENCE_MS = 30_000;

/** One load at a time in the whole process; who waits looks again every 50 ms, for 30 s. */
export class LoadLock {
  readonly #world: ZedWorld;
  #isHeld = false;

  constructor(world: ZedWorld) {
    this.#world = world;
  }

  /** Loads while nobody else does. Rejects when it was not its turn within 30 s. */
  async hold<T>(load: () => Promise<T>): Promise<T> {
    const endMs = this.#world.now().getTime() + PATIENCE_MS;
    while (this.#isHeld) {
      if (this.#world.now().getTime() >= endMs) throw new Error("timed out waiting for another thread to load");
      await this.#world.sleep(POLL_MS);
    }
    this.#isHeld = true;
    try {
      return await load();
    } finally {
      this.#isHeld = false;
    }
  }
}
