import { TokenCodec } from "@helix-zed/persistence";
import type { Condition } from "../domain/filter/filter-condition.ts";
import type { Fields, FieldType, FieldValues } from "../domain/filter/filter-fields.ts";
import type { OrderTerm } from "../domain/filter/order-of.ts";
import type { Limits } from "../domain/limits.ts";
import { type PageKey, pageKeyOf, withTieBreak } from "../persistence/keyset.ts";
import type { PageQuery } from "../persistence/page-query.ts";

/** What a list is asked for. */
export interface ListOptions {
  /** 0 for the default. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
  /** `null` for all. */
  readonly where: Condition | null;
  /** Empty for the list's own order. */
  readonly orderBy: readonly OrderTerm[];
}

/** A page of a list, and the token of the next one: empty for the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** How one kind of resource is listed. */
export interface Listing<Item> {
  /** Part of the binding of its tokens. */
  readonly kind: string;
  readonly fields: Fields;
  /** What else must be the same on every page. */
  readonly boundTo: readonly unknown[];
  /** Whether the newest come first where no order is asked for. */
  readonly isNewestFirst: boolean;
  readonly limits: Pick<Limits, "pageSizeDefault" | "pageSizeMax" | "pageMsMax">;
  readonly valuesOf: (item: Item) => FieldValues;
  readonly read: (query: PageQuery) => Promise<Item[]>;
}

/** The year 10,000: beyond, times are written in another way. */
const TIME_MS_MAX = 253_402_300_800_000;

/** One page. A token is good for the same filter, order, parent and tenant only. */
export async function listPage<Item extends { readonly id: string }>(
  { kind, fields, boundTo, isNewestFirst, limits, valuesOf, read }: Listing<Item>,
  { pageSize, pageToken, where, orderBy }: ListOptions,
): Promise<Page<Item>> {
  const size = pageSize === 0 ? limits.pageSizeDefault : Math.min(pageSize, limits.pageSizeMax);
  const order = withTieBreak(orderBy, isNewestFirst);
  const tokens = pageTokens(kind, order, fields);
  const binding = [...boundTo, where, order];
  const after = pageToken === "" ? null : tokens.decode(pageToken, binding);
  // One item more than fits on the page says whether there is another.
  const found = await read({ where, order, after, limit: size + 1, msMax: limits.pageMsMax });
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return { items, nextPageToken: "" };
  const key = pageKeyOf(order, { ...valuesOf(last), id: last.id });
  return { items, nextPageToken: tokens.encode(key, binding) };
}

function pageTokens(kind: string, order: readonly OrderTerm[], fields: Fields): TokenCodec<PageKey> {
  const types = order.map(({ field }) => fields[field]?.type ?? "text");
  const parse = (value: unknown): PageKey | undefined => (isKey(value, types) ? value : undefined);
  return new TokenCodec<PageKey>({ kind, reason: "PAGE_TOKEN_INVALID", version: 2, parse });
}

/** A key that was given out fits its order; one that was made up must not reach the database. */
function isKey(value: unknown, types: readonly FieldType[]): value is PageKey {
  return (
    Array.isArray(value) && value.length === types.length && types.every((type, place) => isOf(type, value[place]))
  );
}

function isOf(type: FieldType, value: unknown): boolean {
  if (type === "number") return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31;
  if (type === "time") return Number.isInteger(value) && Number(value) >= 0 && Number(value) < TIME_MS_MAX;
  return typeof value === "string" && value.isWellFormed() && !value.includes("\0");
}
