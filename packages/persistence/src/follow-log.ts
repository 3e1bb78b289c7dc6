// Following a log: the loop behind every watch
//
//   read after the cursor ──▶ items ──▶ the caller, one by one
//        ▲                                   │
//        └── wait for a ring, at most pollMs ◀┘   (and say "progress" when nothing was said for heartbeatMs)
//
// The next read happens when the caller has taken everything of the one before: a slow caller costs a cursor and one
// batch, not memory. Rings are hints, reads are the truth.

import type { Ear } from "./doorbell.ts";

/** What one read of the log gave. */
export interface Batch<Cursor, Item> {
  readonly items: readonly Item[];
  /** Where to read on; moves also past changes that the reader has no interest in. */
  readonly cursor: Cursor;
  /** The log may hold more at once: read again without waiting. */
  readonly more: boolean;
  /** Nothing that the caller follows can change any more: the loop ends after these items. */
  readonly ended?: boolean;
}

/** What to follow. */
export interface FollowOptions<Cursor, Item> {
  readonly from: Cursor;
  readonly read: (cursor: Cursor) => Promise<Batch<Cursor, Item>>;
  readonly ear: Ear;
  /** How long to wait for a ring before looking anyway. */
  readonly pollMs: number;
  /** After how long a silence to say that there is nothing. */
  readonly heartbeatMs: number;
  /** Ends the loop with its reason as the error. */
  readonly signal: AbortSignal;
}

/** One step of a followed log. */
export type Followed<Cursor, Item> =
  | { readonly kind: "item"; readonly item: Item }
  /** Everything up to the cursor was delivered. */
  | { readonly kind: "progress"; readonly cursor: Cursor };

/** Yields the items after the cursor, for ever or until the log says that they ended. */
export async function* followLog<Cursor, Item>(
  options: FollowOptions<Cursor, Item>,
): AsyncGenerator<Followed<Cursor, Item>, void, undefined> {
  const { read, ear, pollMs, heartbeatMs, signal } = options;
  let cursor = options.from;
  let spokeAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const batch = await read(cursor);
    for (const item of batch.items) {
      yield { kind: "item", item };
      spokeAt = performance.now();
    }
    cursor = batch.cursor;
    if (batch.ended === true) return;
    const silentMs = performance.now() - spokeAt;
    if (silentMs >= heartbeatMs) {
      yield { kind: "progress", cursor };
      spokeAt = performance.now();
    } else if (!batch.more) {
      await ear.wait(Math.max(1, Math.min(pollMs, heartbeatMs - silentMs)), signal);
    }
  }
}
