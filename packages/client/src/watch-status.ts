import { isOver, type WatchAction, type WatchState, watchLifecycle } from "./watch-lifecycle.ts";

/** What a person is told about a watch. */
export interface WatchStatus {
  readonly state: WatchState;
  /** When the next try is made. `null` unless it is `waiting`. */
  readonly retryAt: Date | null;
  /** Since when what was shown may be out of date: the last time something was heard. `null` while it is `live`. */
  readonly staleSince: Date | null;
  /** Why the last stream broke, or the request was refused. `null` once it is live again. */
  readonly error: unknown;
}

/** What goes with a transition. */
export interface StatusChange {
  readonly now: Date;
  readonly retryAfterMs?: number;
  readonly error?: unknown;
}

/** Keeps the status of one watch, and tells who listens. */
export class StatusOfWatch {
  #status: WatchStatus = { state: "connecting", retryAt: null, staleSince: null, error: null };
  #heardAt: Date | null = null;
  readonly #listeners = new Set<() => void>();

  get current(): WatchStatus {
    return this.#status;
  }

  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something was heard. */
  hear(now: Date): void {
    this.#heardAt = now;
  }

  /** The one place where the state changes; what means nothing in the present state changes nothing. */
  move(action: WatchAction, { now, retryAfterMs, error = this.#status.error }: StatusChange): void {
    const state = watchLifecycle[this.#status.state][action];
    if (state === null) return;
    const isCurrent = state === "live" || state === "ended";
    this.#status = {
      state,
      retryAt: retryAfterMs === undefined ? null : new Date(now.getTime() + retryAfterMs),
      staleSince: isCurrent ? null : (this.#status.staleSince ?? this.#heardAt),
      error: isCurrent ? null : error,
    };
    for (const listener of this.#listeners) listener();
    if (isOver(state)) this.#listeners.clear();
  }
}
