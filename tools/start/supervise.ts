import { setTimeout as delay } from "node:timers/promises";
import { RestartBudget } from "./restart-budget.ts";

/** Something that runs until it ends, by itself or because it is stopped. */
export interface Running {
  readonly exited: Promise<unknown>;
  /** Why it ended, in one line. */
  lastWords(): string;
  stop(): Promise<unknown>;
}

/** What a supervisor needs to know. */
export interface Supervision {
  readonly name: string;
  /** Starts it again; throws a one-line reason. */
  restart(): Promise<Running>;
  /** Told in one line whatever happens. */
  report(line: string): void;
  /** Called once, with the reason, when it cannot be kept running. */
  giveUp(line: string): void;
}

/** Keeps one process running: starts it again when it ends, more and more slowly, until the budget is used up. */
export class Supervisor {
  readonly #supervision: Supervision;
  readonly #budget = new RestartBudget();
  readonly #stopping = new AbortController();
  readonly #finished: Promise<void>;
  #current: Running;

  constructor(first: Running, supervision: Supervision) {
    this.#supervision = supervision;
    this.#current = first;
    this.#finished = this.#watch();
  }

  /** Stops it for good; answers when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current.stop();
    await this.#finished;
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#current.exited;
      if (this.#isStopping) return;
      const outcome = await this.#startAgain(`${this.#supervision.name} ended: ${this.#current.lastWords()}`);
      if (this.#isStopping) {
        await this.#current.stop();
        return;
      }
      if (outcome !== "runs") return this.#supervision.giveUp(outcome.reason);
      this.#supervision.report(`${this.#supervision.name} runs again.`);
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Tries until it runs, or the budget is used up, or it is to stop; the last two with the last reason. */
  async #startAgain(reason: string): Promise<"runs" | { reason: string }> {
    const delayMs = this.#budget.delayAfterCrash(performance.now());
    if (delayMs === undefined || this.#isStopping) return { reason };
    this.#supervision.report(`${reason} (starting it again)`);
    await delay(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    if (this.#isStopping) return { reason };
    try {
      this.#current = await this.#supervision.restart();
      return "runs";
    } catch (error) {
      return this.#startAgain(error instanceof Error ? error.message : String(error));
    }
  }
}
