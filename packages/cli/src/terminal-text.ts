import { stripVTControlCharacters } from "node:util";

// C0 but for tab and newline, DEL and C1, and what turns the direction of text around.
// oxlint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text of agents, models and strangers, such that it can do nothing to a terminal but be read: no escape sequence, no
 * control character, no turned direction. Lines and tabs stay.
 */
export function terminalText(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(INVISIBLE, "");
}

/** The same on one line, cut to `widthMax` characters. */
export function terminalLine(text: string, widthMax = Number.POSITIVE_INFINITY): string {
  return cut(terminalText(text).replace(/\s+/g, " ").trim(), widthMax);
}

/** A line cut to `widthMax` characters, with a sign that it was. */
export function cut(line: string, widthMax: number): string {
  return line.length <= widthMax ? line : `${line.slice(0, widthMax - 1)}…`;
}
