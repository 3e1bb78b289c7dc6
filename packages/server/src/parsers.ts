import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Parser } from "./environment.ts";

/** Any text. */
export function text(): Parser<string> {
  return (value) => value;
}

/** A TCP port; 0 lets the system choose. */
export function port(): Parser<number> {
  return integer({ min: 0, max: 65_535 });
}

/** A whole number within bounds; the unit is for the message: `{ min: 1000, max: 600_000, unit: "milliseconds" }`. */
export function integer({ min, max, unit }: { min: number; max: number; unit?: string }): Parser<number> {
  const what = unit === undefined ? "a whole number" : `a whole number of ${unit}`;
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new Error(`must be ${what} from ${min} to ${max}, not ${quote(value)}`);
  };
}

/** A URL of one of these schemes (`"http"`, `"postgres"`); given back as written. */
export function url(...schemes: readonly string[]): Parser<string> {
  return (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed !== null && schemes.includes(parsed.protocol.slice(0, -1))) return value;
    // Never quoted: a URL may hold a password.
    throw new Error(`must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`);
  };
}

/** One of a few words. */
export function choice<const Choice extends string>(...choices: readonly Choice[]): Parser<Choice> {
  return (value) => {
    const found = choices.find((each) => each === value);
    if (found !== undefined) return found;
    throw new Error(`must be one of ${choices.join(", ")}, not ${quote(value)}`);
  };
}

/** Words separated by commas, without empty ones and spaces around them. */
export function list(): Parser<readonly string[]> {
  return (value) => {
    const words = value.split(",").map((word) => word.trim());
    if (words.every((word) => word !== "")) return words;
    throw new Error("must be a list separated by commas, without empty entries");
  };
}

/** Absolute paths separated by colons. */
export function pathList(): Parser<readonly string[]> {
  return (value) => {
    const paths = value.split(":").filter((each) => each !== "");
    const relative = paths.find((each) => !isAbsolute(each));
    if (relative === undefined && paths.length > 0) return paths;
    throw new Error(`must be absolute paths separated by colons, not ${quote(relative ?? value)}`);
  };
}

/** An absolute path. */
export function path(): Parser<string> {
  return (value) => {
    if (isAbsolute(value)) return value;
    throw new Error(`must be an absolute path, not ${quote(value)}`);
  };
}

/** The path of a file that nobody but its owner may read; gives the secret in it, without white space around it. */
export function secretFile(): Parser<string> {
  return (value) => {
    const secret = readSecret(value);
    if (secret === "") throw new Error(`names the file ${quote(value)}, which is empty`);
    return secret;
  };
}

function readSecret(file: string): string {
  try {
    assertPrivate(file);
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`names a file that cannot be used: ${why}`, { cause: error });
  }
}

/** Throws unless nobody but its owner may read or write the file (mode 0600). */
export function assertPrivate(file: string): void {
  const mode = statSync(file).mode & 0o777;
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const octal = mode.toString(8).padStart(4, "0");
  throw new Error(`others than its owner may use ${file} (mode ${octal}; chmod 600 mends that)`);
}

function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
