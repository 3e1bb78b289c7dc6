import type { Change } from "./change.ts";
import type { SizedChange } from "./change-reader.ts";

const BYTES_MAX = 16 * 1024 * 1024;

/**
 * The newest changes, read once and shared by all watchers of a process: a copy of the end of the log, without a gap and
 * bounded in number and size. Whoever needs older ones reads the database.
 */
export class ChangeTail {
  #changes: SizedChange[] = [];
  #bytes = 0;
  #after: number;
  readonly #changesMax: number;

  /** An empty tail of a log whose last number is this one, which holds so many changes at most. */
  constructor(head: number, changesMax: number) {
    this.#after = head;
    this.#changesMax = changesMax;
  }

  /** Whether it holds everything after this number. */
  covers(after: number): boolean {
    return after >= this.#after;
  }

  /** The changes after a number that it covers, up to another. */
  between(after: number, upTo: number): Change[] {
    return this.#changes.slice(after - this.#after, upTo - this.#after).map(({ change }) => change);
  }

  /** Adds the changes that follow the last one. */
  push(changes: readonly SizedChange[]): void {
    this.#changes.push(...changes);
    for (const { bytes } of changes) this.#bytes += bytes;
    let dropped = 0;
    while (this.#changes.length - dropped > this.#changesMax || this.#bytes > BYTES_MAX) {
      this.#bytes -= this.#changes[dropped]?.bytes ?? 0;
      dropped++;
    }
    this.#changes.splice(0, dropped);
    this.#after += dropped;
  }

  /** Forgets everything: the log's last number is this one. */
  reset(head: number): void {
    this.#changes = [];
    this.#bytes = 0;
    this.#after = head;
  }
}
