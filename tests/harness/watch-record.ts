// Was that watch treated well?
//
// watch-history.ts judges what a watch showed against what was committed. This judges how it came, message by message:
//
//   alive         no silence is longer than it may be
//   bookmarkable  there is a token on everything from `synced` on, and none before
//   authorized    nothing is shown of another tenant
//   resumable     whoever resumes with any token of a watch sees exactly what that watch went on to see

import type { Seen } from "./watch-history.ts";

/** One message, as it arrived. */
export interface Recorded {
  readonly atMs: number;
  readonly token: string;
  /** The how-many-th connection it came over. */
  readonly connection: number;
  readonly seen: Seen | "progress";
  /** Whose the shown resource is; null where none is shown. */
  readonly tenant: string | null;
}

/** What a watch owes. */
export interface WatchDuties {
  readonly silenceMsMax: number;
  /** Whose resources it may show; null for everybody's. */
  readonly tenant: string | null;
}

/** Everything that is wrong with how a watch came. */
export function problemsOfRecord(record: readonly Recorded[], { silenceMsMax, tenant }: WatchDuties): string[] {
  const problems: string[] = [];
  const syncedAt = record.findIndex(({ seen }) => seen !== "progress" && seen.kind === "synced");
  for (const [index, message] of record.entries()) {
    const before = record[index - 1];
    const silentMs = before?.connection === message.connection ? message.atMs - before.atMs : 0;
    if (silentMs > silenceMsMax) problems.push(`was silent for ${Math.round(silentMs)} ms`);
    if ((message.token === "") !== index < syncedAt) problems.push(`message ${index} has the token "${message.token}"`);
    if (tenant !== null && message.tenant !== null && message.tenant !== tenant) {
      problems.push(`showed something of ${message.tenant}`);
    }
  }
  return problems;
}

/** What a watch showed. */
export function shownIn(record: readonly Recorded[]): Seen[] {
  return record.flatMap(({ seen }) => (seen === "progress" ? [] : [seen]));
}

/** Where a watch that resumed with the token of a message of another differs from how that one went on. */
export function firstDifference(
  original: readonly Recorded[],
  index: number,
  resumed: readonly Recorded[],
): string | null {
  const expected = shownIn(original.slice(index + 1));
  const found = shownIn(resumed);
  const at = expected.findIndex((seen, place) => JSON.stringify(seen) !== JSON.stringify(found[place]));
  if (at === -1 && expected.length === found.length) return null;
  const place = at === -1 ? expected.length : at;
  return `after message ${index}, event ${place} is ${JSON.stringify(found[place])}, not ${JSON.stringify(expected[place])}`;
}
