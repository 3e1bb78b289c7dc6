import { createHash } from "node:crypto";
import { maskSessionTokens } from "@helix-zed/sync-protocol";

const MASK = "[redacted]";
const SECRET_LENGTH_MIN = 8;
const OWN_TOKEN = /(?<![\w-])[\w-]{43}(?![\w-])/g;

/** What must not be stored, beside agents' tokens: texts that we know, and the one token of which we know the hash. */
export interface Secrets {
  readonly texts: readonly string[];
  /** SHA-256 of the instance's token, hexadecimal. */
  readonly tokenHash: string | null;
}

/** The text without the secrets in it. */
export function redact(text: string, { texts, tokenHash }: Secrets): string {
  let clean = maskSessionTokens(text);
  for (const secret of texts) {
    if (secret.length >= SECRET_LENGTH_MIN) clean = clean.replaceAll(secret, MASK);
  }
  if (tokenHash === null) return clean;
  return clean.replace(OWN_TOKEN, (word) => (hashToken(word) === tokenHash ? MASK : word));
}

/** SHA-256 of a token as it is stored, hexadecimal. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
