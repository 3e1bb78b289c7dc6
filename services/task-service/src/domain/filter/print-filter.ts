import type { FilterNode, FilterValue } from "./filter-ast.ts";

/** Writes a filter so that it is read as the same again: with AND, OR and NOT, and with every value in quotes. */
export function printFilter(node: FilterNode): string {
  if (node.kind === "term") return `${node.field} ${node.comparator} ${printValue(node.value)}`;
  if (node.kind === "not") return `NOT ${within(node.operand, node.operand.kind === "term")}`;
  return node.kind === "or"
    ? node.operands.map((operand) => within(operand, isFactor(operand))).join(" OR ")
    : node.operands.map((operand) => within(operand, operand.kind !== "and")).join(" AND ");
}

function isFactor({ kind }: FilterNode): boolean {
  return kind === "term" || kind === "not";
}

function within(node: FilterNode, isClear: boolean): string {
  return isClear ? printFilter(node) : `(${printFilter(node)})`;
}

function printValue({ text, isPrefix }: FilterValue): string {
  return `"${text.replaceAll(/["\\*]/g, String.raw`\$&`)}${isPrefix ? "*" : ""}"`;
}
