import type { World } from "@helix-zed/domain";

/** How a notifier tells, and how often at most. */
export interface LogNotifierOptions {
  readonly send: (head: number) => Promise<unknown>;
  /** `Infinity` for never. */
  readonly intervalMs: number;
  readonly world: Pick<World, "sleep">;
  readonly signal: AbortSignal;
}

/**
 * Tells other processes how far the log goes: the first time at once, then at most once an interval, and the last number
 * of a burst always. What fails is not tried again, since others poll.
 */
export class LogNotifier {
  readonly #options: LogNotifierOptions;
  #head = 0;
  #told = 0;
  #isTelling = false;

  constructor(options: LogNotifierOptions) {
    this.#options = options;
  }

  /** There are numbers up to this one. */
  tell(head: number): void {
    this.#head = head;
    if (!this.#isTelling && Number.isFinite(this.#options.intervalMs)) void this.#run();
  }

  /** Others know of this number already. */
  heard(head: number): void {
    this.#told = Math.max(this.#told, head);
  }

  async #run(): Promise<void> {
    const { send, intervalMs, world, signal } = this.#options;
    this.#isTelling = true;
    while (this.#told < this.#head && !signal.aborted) {
      this.#told = this.#head;
      await send(this.#told).catch(() => {});
      await world.sleep(intervalMs, signal).catch(() => {});
    }
    this.#isTelling = false;
  }
}
