import type { Condition } from "../domain/filter/filter-condition.ts";
import type { OrderTerm } from "../domain/filter/order-of.ts";
import type { PageKey } from "./keyset.ts";

/** Which rows, in which order, and which page of them. */
export interface PageQuery {
  /** `null` for all. */
  readonly where: Condition | null;
  /** Ends with the id. */
  readonly order: readonly OrderTerm[];
  /** The last row seen; `null` for the first page. */
  readonly after: PageKey | null;
  readonly limit: number;
  /** How long the database may take. */
  readonly msMax: number;
}
