import type { Actor } from "@helix-zed/domain";
import { TokenCodec } from "@helix-zed/persistence";
import type { ThreadEntry } from "../domain/thread-entry.ts";
import type { App } from "./app.ts";
import { pageSizeOf } from "./page-size.ts";
import { keyFor, threadNotFound } from "./thread-view.ts";

/** Which page of a transcript. */
export interface ListEntries {
  readonly workSessionId: string;
  /** 0: as usual. */
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Some entries, and how to get the next ones. */
export interface EntryPage {
  readonly entries: readonly ThreadEntry[];
  /** Empty: these were the last. */
  readonly nextPageToken: string;
}

/** The place of an entry in the order of a transcript. */
export interface EntryPlace {
  readonly turnNumber: number;
  readonly position: number;
  readonly id: string;
}

/** A page is cut where its texts exceed this, whatever size was asked for: answers have a limit. */
const PAGE_CHARACTERS_MAX = 1_048_576;

const tokens = new TokenCodec<EntryPlace>({
  kind: "zed-thread-entries",
  reason: "PAGE_TOKEN_INVALID",
  version: 1,
  parse: parsePlace,
});

/** Lists a transcript, oldest first. Refuses with ZED_THREAD_NOT_FOUND, PAGE_TOKEN_INVALID. */
export function listEntries({ database }: App, actor: Actor, command: ListEntries): Promise<EntryPage> {
  const { workSessionId, pageToken } = command;
  const limit = pageSizeOf(command.pageSize);
  return database.transact(async ({ threads, entries }) => {
    const mapping = await threads.find(keyFor(actor, workSessionId));
    if (mapping === null) throw threadNotFound(workSessionId);
    const after = pageToken === "" ? null : tokens.decode(pageToken, mapping.id);
    const found = await entries.page({
      mappingId: mapping.id,
      after,
      limit: limit + 1,
      charactersMax: PAGE_CHARACTERS_MAX,
    });
    const page = found.entries.slice(0, limit);
    const last = page.at(-1);
    const more = found.more || found.entries.length > limit;
    return { entries: page, nextPageToken: more && last !== undefined ? tokens.encode(placeOf(last), mapping.id) : "" };
  });
}

function placeOf({ turnNumber, position, id }: ThreadEntry): EntryPlace {
  return { turnNumber, position, id };
}

function parsePlace(value: unknown): EntryPlace | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const turnNumber: unknown = Reflect.get(value, "turnNumber");
  const position: unknown = Reflect.get(value, "position");
  const id: unknown = Reflect.get(value, "id");
  if (!Number.isSafeInteger(turnNumber) || !Number.isSafeInteger(position) || typeof id !== "string") return undefined;
  return { turnNumber: Number(turnNumber), position: Number(position), id };
}
