// A watch
//
//   no token    snapshot ─▶ changed … changed ─▶ synced ─┐
//                                                        ├─▶ changed | deleted | progress …
//   a token     is it of this log, and still in it? ─────┘
//
// The cursor travels in the tokens and nowhere else, so a watch can be taken up again by any process, at any time, for as
// long as the log reaches back. Within the snapshot there is no token: who is cut there begins anew.

import { followLog } from "@helix-zed/persistence";
import { refuse, taskNotFound } from "../domain/reason.ts";
import type { LogBounds } from "../persistence/change-reader.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import type { Snapshot } from "../persistence/watch-snapshot.ts";
import type { App } from "./app.ts";
import { hasEnded, resumeTokens, type WatchCursor } from "./watch-cursor.ts";
import { readForWatch, type ResourceEvent } from "./watch-events.ts";

/** What a watch says. */
export type WatchEvent = ResourceEvent | { readonly kind: "synced" } | { readonly kind: "progress" };

/** One message of a watch, and where it can be taken up again after it. */
export interface WatchMessage {
  readonly event: WatchEvent;
  /** Empty within the snapshot. */
  readonly resumeToken: string;
}

/** What to watch, from where, and until when. */
export interface Watch {
  readonly filter: WatchFilter;
  /** Empty for a snapshot of now. */
  readonly resumeToken: string;
  readonly signal: AbortSignal;
}

/** Watches until the signal aborts, or until all of the named tasks have ended. */
export async function* watch(app: App, options: Watch): AsyncGenerator<WatchMessage, void, undefined> {
  const { filter, resumeToken } = options;
  // Listening begins before the first look, so that nothing falls in between.
  const ear = app.database.feed.listen();
  try {
    const cursor = resumeToken === "" ? yield* begin(app, options) : await resume(app, options);
    yield say({ kind: resumeToken === "" ? "synced" : "progress" }, cursor, filter);
    if (!hasEnded(cursor, filter)) yield* follow(app, options, { cursor, ear });
  } finally {
    ear.close();
  }
}

async function* begin(app: App, { filter, signal }: Watch): AsyncGenerator<WatchMessage, WatchCursor, undefined> {
  const snapshot = await app.database.openSnapshot(filter, signal);
  try {
    if (filter.taskIds.length > 0 && snapshot.namedTasks.size === 0) throw taskNotFound(filter.taskIds[0] ?? "");
    for await (const page of snapshot.pages()) {
      for (const resource of page) yield { event: { kind: "changed", resource }, resumeToken: "" };
    }
    return cursorOf(snapshot, filter);
  } finally {
    await snapshot.close();
  }
}

function cursorOf({ epoch, head, unnumbered, namedTasks }: Snapshot, { taskIds }: WatchFilter): WatchCursor {
  const ended = [...taskIds.keys()].filter((place) => namedTasks.get(taskIds[place] ?? "")?.hasEnded !== false);
  return { epoch, seq: head, skip: unnumbered, ended };
}

async function resume(app: App, { filter, resumeToken }: Watch): Promise<WatchCursor> {
  const cursor = resumeTokens.decode(resumeToken, filter);
  // Another process may have numbered what this one has not heard of.
  await app.database.feed.refresh();
  requireInLog(cursor, await app.database.feed.bounds());
  return cursor;
}

function requireInLog({ epoch, seq }: WatchCursor, log: LogBounds): void {
  const context = { oldest: String(log.floor), newest: String(log.head) };
  if (epoch !== log.epoch) {
    throw refuse(
      "RESUME_TOKEN_FROM_ANOTHER_LOG",
      "The resume_token is of another log. Begin with a snapshot.",
      context,
    );
  }
  if (seq > log.head) {
    throw refuse(
      "RESUME_TOKEN_FROM_THE_FUTURE",
      "The resume_token is ahead of the log. Begin with a snapshot.",
      context,
    );
  }
  if (seq < log.floor) {
    throw refuse("RESUME_TOKEN_EXPIRED", "The resume_token is older than the log. Begin with a snapshot.", context);
  }
}

async function* follow(
  { database: { feed }, limits }: App,
  { filter, signal }: Watch,
  { cursor: from, ear }: { readonly cursor: WatchCursor; readonly ear: ReturnType<typeof feed.listen> },
): AsyncGenerator<WatchMessage, void, undefined> {
  const steps = followLog({
    from,
    read: async (cursor: WatchCursor) => {
      const page = await feed.read(cursor.seq, filter.tenant);
      return { ...readForWatch(cursor, page, filter), more: page.upTo < feed.head };
    },
    ear,
    pollMs: limits.watchPollMs,
    heartbeatMs: limits.watchHeartbeatMs,
    signal,
  });
  for await (const step of steps) {
    if (step.kind === "item") yield say(step.item.event, step.item.cursor, filter);
    else yield say({ kind: "progress" }, step.cursor, filter);
  }
}

function say(event: WatchEvent, cursor: WatchCursor, filter: WatchFilter): WatchMessage {
  return { event, resumeToken: resumeTokens.encode(cursor, filter) };
}
