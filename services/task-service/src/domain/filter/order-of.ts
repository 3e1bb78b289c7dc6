import { FilterError } from "./filter-error.ts";
import type { Fields } from "./filter-fields.ts";

/** One field to sort by. */
export interface OrderTerm {
  readonly field: string;
  readonly isDescending: boolean;
}

const TERM = /^[ \t]*(?<field>[^ \t,]+)(?:[ \t]+(?<direction>[^ \t,]+))?[ \t]*$/;

/** Reads an order as AIP-132 writes it, `priority, created_at desc`; empty for none. Throws a FilterError. */
export function orderOf(
  text: string,
  fields: Fields,
  { orderCharsMax }: { readonly orderCharsMax: number },
): OrderTerm[] {
  if (text.trim() === "") return [];
  if (text.length > orderCharsMax) {
    throw new FilterError(orderCharsMax + 1, `an order has at most ${orderCharsMax} characters`);
  }
  const order: OrderTerm[] = [];
  let at = 1;
  for (const piece of text.split(",")) {
    const term = orderTerm(piece, at, fields);
    if (order.some(({ field }) => field === term.field)) throw new FilterError(at, `${term.field} is there twice`);
    order.push(term);
    at += piece.length + 1;
  }
  return order;
}

function orderTerm(piece: string, at: number, fields: Fields): OrderTerm {
  const { field = "", direction = "asc" } = TERM.exec(piece)?.groups ?? {};
  if (!Object.hasOwn(fields, field)) {
    throw new FilterError(at, `found ${piece.trim() || "nothing"}, expected one of ${Object.keys(fields).join(", ")}`);
  }
  if (direction !== "asc" && direction !== "desc") {
    throw new FilterError(at, `found ${direction} after ${field}, expected asc, desc or nothing`);
  }
  return { field, isDescending: direction === "desc" };
}
