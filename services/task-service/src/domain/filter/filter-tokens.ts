// The words of a filter
//
//   word        status  active  tsk_01  auth*        whatever has no white space, quotes or operators in it
//   string      "…"  '…'                             with \" \' \\ and \* for the characters themselves
//   timestamp   2026-01-31T12:00:00Z                 a word, although it has colons
//   sign        ( ) - = != < <= > >= :
//
// A star at the end of a word or a string stands for "and whatever follows". Positions count characters from 1.

import { FilterError } from "./filter-error.ts";

/** One word, string or sign, and where it stands. */
export type FilterToken =
  | { readonly kind: "word" | "string"; readonly text: string; readonly isPrefix: boolean; readonly at: number }
  | { readonly kind: "sign"; readonly text: string; readonly at: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number };

const SPACE = /[ \t\r\n]*/y;
const TIMESTAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/iy;
const SIGN = /!=|<=|>=|[=<>:()-]/y;
const WORD = /[^ \t\r\n()"'=<>!:,\\-][^ \t\r\n()"'=<>!:,\\]*/y;
const STRING = /"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>(?:[^'\\]|\\.)*)'/sy;

/** Takes a filter apart; the last token is its end. */
export function filterTokens(text: string): FilterToken[] {
  const tokens: FilterToken[] = [];
  let index = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = index;
    const match = pattern.exec(text);
    if (match !== null) index = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SPACE);
    const start = index;
    const at = charactersBefore(text, start) + 1;
    if (start === text.length) return [...tokens, { kind: "end", text: "", at }];
    const word = take(TIMESTAMP) ?? take(WORD);
    const sign = word === null ? take(SIGN) : null;
    const string = word === null && sign === null ? take(STRING) : null;
    if (word !== null) tokens.push(wordToken(word[0], at));
    else if (sign !== null) tokens.push({ kind: "sign", text: sign[0], at });
    else if (string !== null)
      tokens.push(stringToken(string.groups?.["double"] ?? string.groups?.["single"] ?? "", at));
    else throw unexpected(text.slice(start), at);
  }
}

function wordToken(word: string, at: number): FilterToken {
  const isPrefix = word.endsWith("*");
  return { kind: "word", text: isPrefix ? word.slice(0, -1) : word, isPrefix, at };
}

function stringToken(quoted: string, at: number): FilterToken {
  const pieces = [...quoted.matchAll(/\\(?<escaped>.)|(?<plain>[^\\])/gsu)];
  const isPrefix = pieces.at(-1)?.groups?.["plain"] === "*";
  const text = (isPrefix ? pieces.slice(0, -1) : pieces).map(({ groups }) => {
    const { escaped, plain = "" } = groups ?? {};
    if (escaped !== undefined && !`"'\\*`.includes(escaped)) {
      throw new FilterError(at, `in a string, \\ stands only before ", ', \\ and *, not before ${escaped}`);
    }
    return escaped ?? plain;
  });
  return { kind: "string", text: text.join(""), isPrefix, at };
}

function unexpected(rest: string, at: number): FilterError {
  const [character = ""] = rest;
  if (character === '"' || character === "'") return new FilterError(at, "the string that begins here has no end");
  return new FilterError(at, `unexpected ${character}`);
}

/** A character beyond U+FFFF is one, though it takes two places. */
function charactersBefore(text: string, index: number): number {
  return Array.from(text.slice(0, index)).length;
}
