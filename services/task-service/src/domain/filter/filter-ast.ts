/** How a field is compared; `:` asks whether it has something. */
export type Comparator = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":";

/** All comparators. */
export const comparators: readonly Comparator[] = ["=", "!=", "<", "<=", ">", ">=", ":"];

/** What a field is compared with, as it was written. */
export interface FilterValue {
  readonly text: string;
  /** Whether a star follows: anything that begins with the text. */
  readonly isPrefix: boolean;
  readonly at: number;
}

/** One comparison. */
export interface FilterTerm {
  readonly kind: "term";
  readonly field: string;
  readonly comparator: Comparator;
  readonly value: FilterValue;
  readonly at: number;
}

/** A filter as it was written. Nothing is known yet of fields and their types. */
export type FilterNode =
  | FilterTerm
  | { readonly kind: "not"; readonly operand: FilterNode }
  | { readonly kind: "and" | "or"; readonly operands: readonly FilterNode[] };
