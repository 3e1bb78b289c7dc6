import { readFileSync } from "node:fs";
import { type Role, roles } from "@helix-zed/domain";
import { assertPrivate } from "./parsers.ts";

/** Whom a token stands for. */
export type TokenOwner =
  | { readonly kind: "user"; readonly name: string; readonly userId: string; readonly organizationId?: string }
  | { readonly kind: "service"; readonly name: string; readonly roles: readonly Role[] };

/** A token as it is kept: never itself, only its SHA-256. */
export interface KnownToken {
  readonly sha256: Buffer;
  readonly owner: TokenOwner;
}

/** A tokens file that cannot be used, with everything that is wrong with it. */
export class TokensFileError extends Error {
  readonly problems: readonly string[];

  constructor(path: string, problems: readonly string[]) {
    super(`The tokens file ${path} cannot be used: ${problems.join("; ")}.`);
    this.name = "TokensFileError";
    this.problems = problems;
  }
}

/**
 * Reads a tokens file: `{"tokens": [{"name", "sha256", "kind": "user", "user_id", "organization_id"} | {"name",
 * "sha256", "kind": "service", "roles"}]}`. Nobody but its owner may read it (mode 0600).
 * Throws a {@link TokensFileError} that lists every problem.
 */
export function readTokensFile(path: string): readonly KnownToken[] {
  const problems: string[] = [];
  const tokens = parseTokens(readPrivately(path, problems), problems);
  if (problems.length > 0) throw new TokensFileError(path, problems);
  return tokens;
}

function readPrivately(path: string, problems: string[]): unknown {
  try {
    assertPrivate(path);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    // The text of a JSON error quotes the file; a file that cannot be read was reported above.
    if (error instanceof SyntaxError) problems.push("it is not valid JSON");
    else if (problems.length === 0) problems.push(String(error));
    return undefined;
  }
}

function parseTokens(file: unknown, problems: string[]): KnownToken[] {
  if (file === undefined) return [];
  const list = isRecord(file) ? file["tokens"] : undefined;
  if (!Array.isArray(list)) {
    problems.push('it has no list "tokens"');
    return [];
  }
  const tokens = list.map((entry: unknown, index) => parseToken(entry, `tokens[${index}]`, problems));
  reportDuplicates(tokens, problems);
  return tokens;
}

function parseToken(entry: unknown, at: string, problems: string[]): KnownToken {
  const fields = isRecord(entry) ? entry : {};
  const text = (key: string, pattern: RegExp, expected: string): string => {
    const value = fields[key];
    if (typeof value === "string" && pattern.test(value)) return value;
    problems.push(`${at}.${key} must be ${expected}`);
    return "";
  };
  const sha256 = Buffer.from(text("sha256", /^[0-9a-f]{64}$/i, "64 hexadecimal digits"), "hex");
  const name = text("name", namePattern, nameExpected);
  switch (fields["kind"]) {
    case "user": {
      const userId = text("user_id", namePattern, nameExpected);
      const organization = fields["organization_id"] ?? "";
      if (organization === "") return { sha256, owner: { kind: "user", name, userId } };
      const organizationId = text("organization_id", namePattern, nameExpected);
      return { sha256, owner: { kind: "user", name, userId, organizationId } };
    }
    case "service":
      return { sha256, owner: { kind: "service", name, roles: parseRoles(fields["roles"], at, problems) } };
    default:
      problems.push(`${at}.kind must be "user" or "service"`);
      return { sha256, owner: { kind: "service", name, roles: [] } };
  }
}

/** What ids of users and organizations look like, in the tokens file and in headers. */
export const namePattern = /^[\x21-\x7e]{1,128}$/;
const nameExpected = "1 to 128 visible ASCII characters";

function parseRoles(value: unknown, at: string, problems: string[]): Role[] {
  const given: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [null];
  const known = roles.filter((role) => given.includes(role));
  if (known.length !== given.length) problems.push(`${at}.roles must be a list of ${roles.join(", ")}`);
  return known;
}

function reportDuplicates(tokens: readonly KnownToken[], problems: string[]): void {
  const seen = new Map<string, number>();
  for (const [index, { sha256, owner }] of tokens.entries()) {
    for (const key of [`sha256 ${sha256.toString("hex")}`, `name ${owner.name}`]) {
      const earlier = seen.get(key);
      const [what = "", value = ""] = key.split(" ", 2);
      if (earlier === undefined) seen.set(key, index);
      else if (value !== "") problems.push(`tokens[${index}].${what} is the same as that of tokens[${earlier}]`);
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
