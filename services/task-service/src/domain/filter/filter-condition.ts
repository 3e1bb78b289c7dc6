// From a filter as it was written to a condition that can be decided
//
// Fields are known and values have their type from here on; positions are gone, so the condition is the filter's meaning
// alone, and tokens are bound to it. It has two readers: `fulfils` below, for watches, and condition-sql.ts, for lists
// and snapshots. They agree on every row; a test compares them.

import type { Comparator, FilterNode, FilterTerm, FilterValue } from "./filter-ast.ts";
import { FilterError } from "./filter-error.ts";
import type { Field, Fields, FieldValue, FieldValues } from "./filter-fields.ts";
import { parseFilter } from "./parse-filter.ts";
import { parseTime } from "./parse-time.ts";

/** How two values are compared. */
export type Comparison = Exclude<Comparator, ":"> | "contains" | "begins";

/** A filter that is understood. Times are milliseconds. */
export type Condition =
  | { readonly kind: "compare"; readonly field: string; readonly comparison: Comparison; readonly value: FieldValue }
  | { readonly kind: "not"; readonly operand: Condition }
  | { readonly kind: "and" | "or"; readonly operands: readonly Condition[] };

/** How much a filter may hold. */
export interface FilterLimits {
  readonly filterCharsMax: number;
  readonly filterTermsMax: number;
}

/** Reads a filter over some fields; `null` for an empty one. Throws a FilterError that says what is wrong and where. */
export function conditionOf(text: string, fields: Fields, limits: FilterLimits): Condition | null {
  const { filterCharsMax, filterTermsMax } = limits;
  if (text.length > filterCharsMax && Array.from(text).length > filterCharsMax) {
    throw new FilterError(filterCharsMax + 1, `a filter has at most ${filterCharsMax} characters`);
  }
  const node = parseFilter(text);
  if (node === null) return null;
  const tooMany = termsOf(node)[filterTermsMax];
  if (tooMany !== undefined) throw new FilterError(tooMany.at, `a filter has at most ${filterTermsMax} terms`);
  return understand(node, fields);
}

/** Whether values fulfil a condition. */
export function fulfils(condition: Condition, values: FieldValues): boolean {
  if (condition.kind === "compare") {
    return compares(condition.comparison, values[condition.field] ?? "", condition.value);
  }
  if (condition.kind === "not") return !fulfils(condition.operand, values);
  const { kind, operands } = condition;
  return kind === "and"
    ? operands.every((operand) => fulfils(operand, values))
    : operands.some((operand) => fulfils(operand, values));
}

function compares(comparison: Comparison, value: FieldValue, wanted: FieldValue): boolean {
  if (comparison === "contains") return String(value).includes(String(wanted));
  if (comparison === "begins") return String(value).startsWith(String(wanted));
  const order = compareValues(value, wanted);
  const answers: Record<typeof comparison, boolean> = {
    "=": order === 0,
    "!=": order !== 0,
    "<": order < 0,
    "<=": order <= 0,
    ">": order > 0,
    ">=": order >= 0,
  };
  return answers[comparison];
}

/** The order of two values of one field: text by its bytes, as the database sorts it. */
export function compareValues(a: FieldValue, b: FieldValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function termsOf(node: FilterNode): FilterTerm[] {
  if (node.kind === "term") return [node];
  return node.kind === "not" ? termsOf(node.operand) : node.operands.flatMap(termsOf);
}

function understand(node: FilterNode, fields: Fields): Condition {
  if (node.kind === "term") return comparisonOf(node, fields);
  if (node.kind === "not") return { kind: "not", operand: understand(node.operand, fields) };
  return { kind: node.kind, operands: node.operands.map((operand) => understand(operand, fields)) };
}

function comparisonOf({ field: name, comparator, value, at }: FilterTerm, fields: Fields): Condition {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined)
    throw new FilterError(at, `found ${name}, expected one of ${Object.keys(fields).join(", ")}`);
  if (field.type === "word" && !["=", "!=", ":"].includes(comparator)) {
    throw new FilterError(at, `${name} is compared with =, != and : only, not with ${comparator}`);
  }
  if (value.isPrefix && (field.type !== "text" || comparator !== ":")) {
    const advice = field.type === "text" ? "a star stands only after :, the character is \\*" : `${name} takes no star`;
    throw new FilterError(value.at, advice);
  }
  return { kind: "compare", field: name, ...meaningOf(name, field, comparator, value) };
}

function meaningOf(name: string, field: Field, comparator: Comparator, value: FilterValue) {
  if (comparator !== ":") return { comparison: comparator, value: valueOf(name, field, value) };
  if (field.type !== "text") return { comparison: "=" as const, value: valueOf(name, field, value) };
  if (value.isPrefix && value.text === "") return { comparison: "!=" as const, value: "" };
  return { comparison: value.isPrefix ? ("begins" as const) : ("contains" as const), value: value.text };
}

function valueOf(name: string, { type, words = [] }: Field, { text, at }: FilterValue): FieldValue {
  if (type === "text") return text;
  if (type === "word") {
    if (words.includes(text)) return text;
    throw new FilterError(at, `found ${text || '""'}, expected one of ${words.join(", ")}`);
  }
  const value = type === "number" ? parseNumber(text) : parseTime(text);
  if (value !== null) return value;
  const wanted = type === "number" ? "a whole number" : "a time like 2026-01-31T12:00:00Z, at most to the millisecond";
  throw new FilterError(at, `found ${text || '""'}, expected ${wanted}`);
}

function parseNumber(text: string): number | null {
  return /^-?\d{1,9}$/.test(text) ? Number(text) + 0 : null;
}
