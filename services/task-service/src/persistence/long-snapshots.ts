import { refuse } from "../domain/reason.ts";

/** How many long snapshots at a time, and how long each. */
export interface LongSnapshotLimits {
  readonly longSnapshotsMax: number;
  readonly snapshotMsMax: number;
}

/**
 * Snapshots that are delivered over several pages. Each holds a connection and keeps PostgreSQL from cleaning up behind
 * it, so both their number and their time are bounded, however slow their readers are.
 */
export class LongSnapshots {
  readonly #limits: LongSnapshotLimits;
  #open = 0;

  constructor(limits: LongSnapshotLimits) {
    this.#limits = limits;
  }

  /** Lets one more begin, which is ended by `end` when its time is up. To be closed when it is over. */
  begin(end: () => void): OpenLongSnapshot {
    const { longSnapshotsMax, snapshotMsMax } = this.#limits;
    if (this.#open === longSnapshotsMax) {
      const message = "Too many long snapshots are being read at this moment. Try again, or watch less.";
      throw refuse("TOO_MANY_SNAPSHOTS", message, {}, { retryAfterMs: 2_000 });
    }
    this.#open++;
    let state: "open" | "late" | "closed" = "open";
    const timer = setTimeout(() => {
      state = "late";
      end();
    }, snapshotMsMax);
    return {
      requireInTime: () => {
        if (state === "late") throw tooSlow(snapshotMsMax);
      },
      close: () => {
        if (state !== "closed") this.#open--;
        state = "closed";
        clearTimeout(timer);
      },
    };
  }
}

/** A long snapshot that has begun. */
export interface OpenLongSnapshot {
  /** Refuses when its time is up. */
  requireInTime(): void;
  close(): void;
}

function tooSlow(durationMs: number) {
  const message = `The snapshot was not taken in within ${durationMs / 1_000} s. Take it in faster, or watch less.`;
  return refuse("SNAPSHOT_TOO_SLOW", message, {}, { retryAfterMs: 2_000 });
}
