/** How often a crashed process is started again, and how long to wait before it. */
export interface RestartLimits {
  readonly restartsMax: number;
  readonly windowMs: number;
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
}

export const RESTART_LIMITS: RestartLimits = {
  restartsMax: 5,
  windowMs: 600_000,
  delayMinMs: 200,
  delayMaxMs: 5_000,
};

/** Counts the crashes of one process: each restart within the window waits twice as long as the one before. */
export class RestartBudget {
  readonly #limits: RestartLimits;
  #crashesAtMs: readonly number[] = [];

  constructor(limits: RestartLimits = RESTART_LIMITS) {
    this.#limits = limits;
  }

  /** Notes a crash; answers how long to wait before the restart, or undefined when there were too many. */
  delayAfterCrash(nowMs: number): number | undefined {
    const { restartsMax, windowMs, delayMinMs, delayMaxMs } = this.#limits;
    this.#crashesAtMs = [...this.#crashesAtMs.filter((atMs) => atMs > nowMs - windowMs), nowMs];
    const crashes = this.#crashesAtMs.length;
    return crashes > restartsMax ? undefined : Math.min(delayMaxMs, delayMinMs * 2 ** (crashes - 1));
  }
}
