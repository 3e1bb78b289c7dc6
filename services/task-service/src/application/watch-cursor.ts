import { TokenCodec } from "@helix-zed/persistence";
import type { WatchFilter } from "../persistence/watch-filter.ts";

/** Where a watch is in the log. */
export interface WatchCursor {
  /** Which log: a database that was made anew has another one. */
  readonly epoch: string;
  /** Everything up to this number was delivered. */
  readonly seq: number;
  /** Ids of rows with higher numbers whose changes were delivered with the snapshot. */
  readonly skip: readonly number[];
  /** Which of the named tasks have ended, by their place in the filter. */
  readonly ended: readonly number[];
}

/** Resume tokens: a cursor, bound to what is watched. */
export const resumeTokens = new TokenCodec<WatchCursor>({
  kind: "watch",
  reason: "RESUME_TOKEN_INVALID",
  version: 1,
  parse: parseCursor,
});

/** Whether all of the named tasks have ended, so that nothing can follow. */
export function hasEnded(cursor: Pick<WatchCursor, "ended">, { taskIds }: WatchFilter): boolean {
  return taskIds.length > 0 && cursor.ended.length === taskIds.length;
}

function parseCursor(value: unknown): WatchCursor | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { epoch, seq, skip, ended }: { epoch?: unknown; seq?: unknown; skip?: unknown; ended?: unknown } = value;
  if (typeof epoch !== "string" || !isCount(seq) || !isCounts(skip) || !isCounts(ended)) return undefined;
  return { epoch, seq, skip, ended };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
