// Who may call the services, where nobody configured anything: one user and the bridge itself.
//
// The services know digests only. The tokens themselves are in files that only their owner can read: the user's, to be
// copied into requests, and the bridge's, which it shows to task-service.

import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Somebody who gets a token. */
export type TokenHolder =
  | { readonly name: string; readonly kind: "user"; readonly user_id: string; readonly organization_id: string }
  | { readonly name: string; readonly kind: "service"; readonly roles: readonly string[] };

/** The tokens by their holder's name, and the file of digests that the services read. */
export interface AccessTokens {
  readonly file: string;
  /** The token of a holder; throws for a name that was not asked for. */
  token(name: string): string;
  /** The file that holds nothing but the holder's token. */
  tokenFile(name: string): string;
}

const LOCAL_HOLDERS: readonly TokenHolder[] = [
  { name: "local", kind: "user", user_id: "local", organization_id: "" },
  { name: "zed-bridge", kind: "service", roles: ["runner"] },
];

/** Makes the tokens that are missing in `folder`, keeps the others, and writes the file of digests. */
export function provideAccessTokens(folder: string, holders: readonly TokenHolder[] = LOCAL_HOLDERS): AccessTokens {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tokenFile = (name: string): string => path.join(folder, `${name}.token`);
  const tokens = new Map(holders.map(({ name }) => [name, provideToken(tokenFile(name))]));
  const token = (name: string): string => {
    const found = tokens.get(name);
    if (found === undefined) throw new Error(`${name} has no token.`);
    return found;
  };
  const file = path.join(folder, "tokens.json");
  const digests = holders.map((holder) => ({ ...holder, sha256: sha256(token(holder.name)) }));
  writePrivately(file, `${JSON.stringify({ tokens: digests }, null, 2)}\n`);
  return { file, token, tokenFile };
}

function provideToken(file: string): string {
  if (!existsSync(file)) writePrivately(file, `${randomBytes(24).toString("base64url")}\n`);
  return readFileSync(file, "utf8").trim();
}

function writePrivately(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
