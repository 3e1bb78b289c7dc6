// Pages by keyset
//
// A list is sorted by some fields and at last by id, which no two rows share. A page begins after the last row of the one
// before, named by the values that it was sorted by: so rows that come and go elsewhere move nothing, and however deep the
// page is, the database begins to read where it begins.
//
//   all one way    (priority, id) > (0, 'tsk_…')                         one range of an index
//   mixed          priority > 0 or (priority = 0 and …)                  and priority >= 0, to begin there
//
// A row that changes one of the values it is sorted by while somebody pages may be met again or not at all; all others
// are met exactly once.

import { type Expression, type RawBuilder, type SqlBool, sql } from "kysely";
import type { FieldValue, FieldValues } from "../domain/filter/filter-fields.ts";
import type { OrderTerm } from "../domain/filter/order-of.ts";
import { fieldSql, valueSql } from "./condition-sql.ts";

/** The last row of a page: what it was sorted by, the id last. */
export type PageKey = readonly FieldValue[];

/** What is alike is sorted by id, in the direction of the field before it; ids begin with the time of their creation. */
export function withTieBreak(order: readonly OrderTerm[], isDescendingAlone: boolean): readonly OrderTerm[] {
  return [...order, { field: "id", isDescending: order.at(-1)?.isDescending ?? isDescendingAlone }];
}

/** The key of a row. */
export function pageKeyOf(order: readonly OrderTerm[], values: FieldValues): PageKey {
  return order.map(({ field }) => values[field] ?? "");
}

/** The rows after a key. */
export function afterKey(order: readonly OrderTerm[], key: PageKey): Expression<SqlBool> {
  const [first] = order;
  if (first === undefined) throw new Error("An order ends with the id at least.");
  const columns = order.map(({ field }) => fieldSql(field));
  const values = order.map(({ field }, place) => valueSql(field, key[place] ?? ""));
  if (order.every(({ isDescending }) => isDescending === first.isDescending)) {
    return sql`(${sql.join(columns)}) ${first.isDescending ? sql`<` : sql`>`} (${sql.join(values)})`;
  }
  const later = order.map(({ isDescending }, place) => {
    const alike = columns.slice(0, place).map((column, index) => sql`${column} = ${values[index]}`);
    return sql`(${sql.join([...alike, sql`${columns[place]} ${isDescending ? sql`<` : sql`>`} ${values[place]}`], sql` and `)})`;
  });
  const bound = sql`${columns[0]} ${first.isDescending ? sql`<=` : sql`>=`} ${values[0]}`;
  return sql`(${bound} and (${sql.join(later, sql` or `)}))`;
}

/** The order, for an ORDER BY. */
export function orderSql(order: readonly OrderTerm[]): RawBuilder<unknown>[] {
  return order.map(({ field, isDescending }) => sql`${fieldSql(field)} ${isDescending ? sql`desc` : sql`asc`}`);
}
