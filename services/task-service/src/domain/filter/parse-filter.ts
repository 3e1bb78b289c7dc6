// The grammar: a subset of AIP-160
//
//   filter   = [ all ]
//   all      = any { [ "AND" ] any }               white space alone means AND
//   any      = factor { "OR" factor }              OR binds tighter than AND
//   factor   = [ "NOT" | "-" ] simple
//   simple   = "(" all ")" | word comparator value
//   value    = [ "-" ] word | string
//
// Left out of AIP-160: bare words (a search over everything), functions, and paths with dots. What a field and a value
// mean is decided afterwards, in filter-condition.ts.

import { type Comparator, comparators, type FilterNode, type FilterValue } from "./filter-ast.ts";
import { FilterError } from "./filter-error.ts";
import { type FilterToken, filterTokens } from "./filter-tokens.ts";

const KEYWORDS: readonly string[] = ["AND", "OR", "NOT"];

/** Reads a filter; `null` for one that is empty. Throws a FilterError that says where it cannot be read. */
export function parseFilter(text: string): FilterNode | null {
  const parser = new Parser(filterTokens(text));
  return parser.next.kind === "end" ? null : parser.whole();
}

class Parser {
  readonly #tokens: readonly FilterToken[];
  #index = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  /** The token that is to be read. */
  get next(): FilterToken {
    // The last token is the end, which nothing reads.
    return this.#tokens[this.#index] ?? { kind: "end", text: "", at: 1 };
  }

  whole(): FilterNode {
    const node = this.#all();
    if (this.next.kind !== "end") throw this.#expected("AND, OR or the end of the filter");
    return node;
  }

  #all(): FilterNode {
    const operands = [this.#any()];
    while (this.#takeKeyword("AND") || this.#beginsFactor()) operands.push(this.#any());
    return joined("and", operands);
  }

  #any(): FilterNode {
    const operands = [this.#factor()];
    while (this.#takeKeyword("OR")) operands.push(this.#factor());
    return joined("or", operands);
  }

  #factor(): FilterNode {
    if (this.#takeKeyword("NOT") || this.#takeSign("-")) return { kind: "not", operand: this.#simple() };
    return this.#simple();
  }

  #simple(): FilterNode {
    if (!this.#takeSign("(")) return this.#term();
    const node = this.#all();
    if (!this.#takeSign(")")) throw this.#expected("AND, OR or )");
    return node;
  }

  #term(): FilterNode {
    const field = this.next;
    if (field.kind !== "word" || isKeyword(field)) throw this.#expected("a field, NOT or (");
    if (field.isPrefix) throw new FilterError(field.at, "a field has no star");
    this.#index++;
    const comparator = this.#comparator(field.text);
    return { kind: "term", field: field.text, comparator, value: this.#value(comparator), at: field.at };
  }

  #comparator(field: string): Comparator {
    const { kind, text } = this.next;
    const comparator = kind === "sign" ? comparators.find((candidate) => candidate === text) : undefined;
    if (comparator === undefined) throw this.#expected(`one of ${comparators.join(" ")} after ${field}`);
    this.#index++;
    return comparator;
  }

  #value(comparator: Comparator): FilterValue {
    const { at } = this.next;
    const sign = this.#takeSign("-") ? "-" : "";
    const token = this.next;
    const isAdjacent = sign === "" || token.at === at + 1;
    const isValue = token.kind === "string" ? sign === "" : token.kind === "word" && !isKeyword(token) && isAdjacent;
    if (!isValue) throw this.#expected(`a value after ${comparator}`);
    this.#index++;
    return { text: sign + token.text, isPrefix: token.kind !== "sign" && token.kind !== "end" && token.isPrefix, at };
  }

  #beginsFactor(): boolean {
    const { kind, text } = this.next;
    if (kind === "sign") return text === "(" || text === "-";
    return kind === "word" && (text === "NOT" || !isKeyword(this.next));
  }

  #takeKeyword(word: string): boolean {
    return this.#take(this.next.kind === "word" && isKeyword(this.next) && this.next.text === word);
  }

  #takeSign(sign: string): boolean {
    return this.#take(this.next.kind === "sign" && this.next.text === sign);
  }

  #take(isIt: boolean): boolean {
    if (isIt) this.#index++;
    return isIt;
  }

  #expected(what: string): FilterError {
    const { kind, text, at } = this.next;
    return new FilterError(at, `expected ${what}, found ${kind === "end" ? "the end" : text || '""'}`);
  }
}

function isKeyword(token: FilterToken): boolean {
  return token.kind === "word" && !token.isPrefix && KEYWORDS.includes(token.text);
}

function joined(kind: "and" | "or", operands: readonly FilterNode[]): FilterNode {
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind, operands };
}
