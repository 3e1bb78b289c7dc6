// A watch
//
//   no token    snapshot ─▶ changed … changed ─▶ synced ─┐
//                                                        ├─▶ changed | deleted | progress …
//   a token     is it of this log, and still in it? ─────┘
//
// The cursor travels in the tokens and nowhere else, so a watch can be taken up again by any process, at any time, for as
// long as the log reaches back. Within the snapshot there is no token: who is cut there begins anew.

import { type BoundTokens, followLog } from "@helix-zed/persistence";
import { taskNotFound } from "../domain/reason.ts";
import type { Change } from "../persistence/change.ts";
import { type LogReader, requireInLog } from "../persistence/log-reader.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import type { Snapshot } from "../persistence/watch-snapshot.ts";
import type { App } from "./app.ts";
import { hasEnded, resumeTokens, type WatchCursor } from "./watch-cursor.ts";
import { readForWatch, type ResourceEvent, type WatchItem } from "./watch-events.ts";

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
  const tokens = resumeTokens.bind(filter);
  // Listening begins before the first look, so that nothing falls in between.
  const reader = app.database.feed.read(filter.tenant);
  try {
    const cursor = resumeToken === "" ? yield* begin(app, options) : await resume(app, tokens.decode(resumeToken));
    yield { event: { kind: resumeToken === "" ? "synced" : "progress" }, resumeToken: tokens.encode(cursor) };
    if (!hasEnded(cursor, filter)) yield* follow(app, options, { cursor, reader, tokens });
  } finally {
    reader.close();
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

async function resume(app: App, cursor: WatchCursor): Promise<WatchCursor> {
  // Another process may have numbered what this one has not heard of.
  await app.database.feed.refresh();
  requireInLog(cursor, app.database.feed.bounds);
  return cursor;
}

interface Following {
  readonly cursor: WatchCursor;
  readonly reader: LogReader;
  readonly tokens: BoundTokens<WatchCursor>;
}

async function* follow(
  { database: { feed }, limits }: App,
  { filter, signal }: Watch,
  { cursor: from, reader, tokens }: Following,
): AsyncGenerator<WatchMessage, void, undefined> {
  const steps = followLog({
    from,
    read: async (cursor: WatchCursor) => {
      const page = await reader.read(cursor);
      return { ...readForWatch(cursor, page, filter), more: page.upTo < feed.head };
    },
    ear: reader.ear,
    // The feed polls for all.
    pollMs: limits.watchHeartbeatMs,
    heartbeatMs: limits.watchHeartbeatMs,
    signal,
  });
  for await (const step of steps) {
    if (step.kind === "item") yield sharedMessage(step.item, tokens);
    else yield { event: { kind: "progress" }, resumeToken: tokens.encode(step.cursor) };
  }
}

const shared = new WeakMap<Change, Map<string, WatchMessage>>();

/** Watches of the same things say the same about a change: one message serves them all. */
function sharedMessage({ change, event, cursor }: WatchItem, tokens: BoundTokens<WatchCursor>): WatchMessage {
  const make = (): WatchMessage => ({ event, resumeToken: tokens.encode(cursor) });
  if (cursor.skip.length > 0 || cursor.ended.length > 0) return make();
  const messages = shared.get(change) ?? new Map<string, WatchMessage>();
  shared.set(change, messages);
  const message = messages.get(tokens.binding) ?? make();
  messages.set(tokens.binding, message);
  return message;
}
