import { stripVTControlCharacters } from "node:util";

/** Text from outside, safe to print: no control sequences, and of control characters only new lines and tabs. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n\t]/gu, "");
}
