// Random filters and orders that are valid, over values that rows are likely to have

import fc from "fast-check";
import type { Comparator, FilterNode } from "../domain/filter/filter-ast.ts";
import type { Field, Fields } from "../domain/filter/filter-fields.ts";
import type { OrderTerm } from "../domain/filter/order-of.ts";

/** Text that is easily confused: by collations, by patterns, by quoting. */
export const awkwardTexts = [
  "",
  "a",
  "A",
  "ab",
  "a b",
  "B",
  "é",
  "z",
  "Z",
  "%",
  "_",
  "a*",
  "\\",
  "'",
  '"',
  "😀",
  "\uffee",
  "-",
];

/** The times of random rows. */
export const times = [0, 1, 1_000, 60_000].map((ms) => Date.UTC(2026, 0, 31, 12) + ms);

/** A filter over some fields. */
export function anyFilter(fields: Fields): fc.Arbitrary<FilterNode> {
  const term = fc.constantFrom(...Object.entries(fields)).chain(([name, field]) => anyTerm(name, field));
  return fc.letrec<{ node: FilterNode }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      term,
      fc.record({ kind: fc.constant("not" as const), operand: tie("node") }),
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        operands: fc.array(tie("node"), { minLength: 2, maxLength: 3 }),
      }),
    ),
  })).node;
}

function anyTerm(field: string, { type, words = [] }: Field): fc.Arbitrary<FilterNode> {
  const all: Comparator[] = ["=", "!=", "<", "<=", ">", ">=", ":"];
  const texts = {
    // Looked at for words only, which have some.
    word: fc.constantFrom(...(words.length === 0 ? ["none"] : words)),
    text: fc.constantFrom(...awkwardTexts),
    number: fc.integer({ min: -3, max: 3 }).map(String),
    time: fc.constantFrom(...times, Date.UTC(2030, 1)).map((ms) => new Date(ms).toISOString()),
  };
  return fc
    .record({
      comparator: fc.constantFrom(...(type === "word" ? (["=", "!=", ":"] as const) : all)),
      text: texts[type],
      star: fc.boolean(),
    })
    .map(({ comparator, text, star }) => ({
      kind: "term",
      field,
      comparator,
      value: { text, isPrefix: star && type === "text" && comparator === ":", at: 1 },
      at: 1,
    }));
}

/** An order over some fields. */
export function anyOrder(fields: Fields): fc.Arbitrary<OrderTerm[]> {
  const term = fc.record({ field: fc.constantFrom(...Object.keys(fields)), isDescending: fc.boolean() });
  return fc.uniqueArray(term, { selector: ({ field }) => field, maxLength: 4 });
}
