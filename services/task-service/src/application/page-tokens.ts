import { TokenCodec } from "@helix-zed/persistence";

/** Where the next page begins: after the resource with this id. */
const codecOptions = {
  reason: "PAGE_TOKEN_INVALID",
  version: 1,
  parse: (value: unknown) => (typeof value === "string" ? value : undefined),
} as const;

/** Tokens of ListTasks. */
export const taskPages = new TokenCodec<string>({ kind: "tasks", ...codecOptions });

/** Tokens of ListWorkSessions. */
export const workSessionPages = new TokenCodec<string>({ kind: "work-sessions", ...codecOptions });

/** A page of a list, and the token of the next one: empty for the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Makes a page out of one item more than fits on it, which says whether there is another page. */
export function pageOf<Item extends { readonly id: string }>(
  found: readonly Item[],
  size: number,
  encode: (lastId: string) => string,
): Page<Item> {
  const items = found.slice(0, size);
  const last = items.at(-1);
  return { items, nextPageToken: found.length > size && last !== undefined ? encode(last.id) : "" };
}
