import path from "node:path";

/** What a call came to: the code of its error, or `ok`, and everything that was said. */
export interface Answer {
  /** As Connect spells it; where there is none, what was there instead. */
  readonly code: string;
  /** All that the answer says. */
  readonly text: string;
}

const ROOT = path.resolve(import.meta.dirname, "..", "..", "..");

/** What an answer must never say: where our code lies, what it is made of, and what it asks the database. */
const LEAKS: readonly RegExp[] = [
  /\bat (async )?[\w.<>]+ \(?\S+:\d+:\d+/,
  /node_modules|node:internal|\.ts:\d+/,
  /\bselect\b.*\bfrom\b|\binsert into\b|\bupdate\b.*\bset\b|\bdelete from\b/i,
  /violates|duplicate key|syntax error at|relation "|column "|SQLSTATE|invalid byte sequence|out of range for type/i,
  /TypeError|RangeError|ReferenceError|DriverException|Cannot read properties/,
];

/** Codes that nothing that a caller sends may lead to. */
const OURS = ["internal", "unknown", "data_loss", "unavailable", "deadline_exceeded", "canceled", "cancelled"];

/** What is wrong with an answer, if anything is. */
export function problemOf({ code, text }: Answer): string | undefined {
  // What is given back as it was stored may say anything.
  if (code === "ok") return undefined;
  if (OURS.includes(code)) return `${code}: ${text}`;
  if (code.includes(" ")) return `${code}: ${text.slice(0, 500)}`;
  const leak = LEAKS.find((pattern) => pattern.test(text)) ?? (text.includes(ROOT) ? ROOT : undefined);
  return leak === undefined ? undefined : `says ${String(leak)}: ${text}`;
}
