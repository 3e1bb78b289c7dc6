import { createHash, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { tokenRefusal } from "./token-refusal.ts";
import type { KnownToken, TokenOwner } from "./tokens-file.ts";

/** A token that is good until its signal aborts; the signal's reason is the refusal to show. */
export interface LiveToken {
  readonly owner: TokenOwner;
  readonly revoked: AbortSignal;
}

interface ListedToken extends KnownToken {
  readonly revocation: AbortController;
}

/** The tokens that are known at this moment. */
export class TokenList {
  #tokens: readonly ListedToken[] = [];
  /** Those that were shown before: hashing a token costs more than all the rest of it. */
  readonly #found = new Map<string, LiveToken>();

  constructor(tokens: readonly KnownToken[]) {
    this.replace(tokens);
  }

  /** The entry of a token, or `null` if it has none. */
  find(token: string): LiveToken | null {
    const known = this.#found.get(token);
    if (known !== undefined) return known;
    const hash = hashToken(token);
    let found: LiveToken | null = null;
    // All of them, each in constant time: how long it takes says nothing about which token came close.
    for (const { sha256, owner, revocation } of this.#tokens) {
      if (timingSafeEqual(hash, sha256)) found = { owner, revoked: revocation.signal };
    }
    if (found !== null) this.#found.set(token, found);
    return found;
  }

  /** Knows these from now on. One that is gone, or that stands for somebody else, is revoked; says how many were. */
  replace(tokens: readonly KnownToken[]): number {
    const before = this.#tokens;
    this.#found.clear();
    this.#tokens = tokens.map((token) => before.find((known) => isSame(known, token)) ?? listed(token));
    const gone = before.filter((token) => !this.#tokens.includes(token));
    for (const { revocation } of gone) revocation.abort(tokenRefusal("TOKEN_REVOKED", "The token was revoked."));
    return gone.length;
  }
}

/** The SHA-256 of a token, as a tokens file holds it. */
export function hashToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function listed(token: KnownToken): ListedToken {
  return { ...token, revocation: new AbortController() };
}

function isSame(known: KnownToken, token: KnownToken): boolean {
  return known.sha256.equals(token.sha256) && isDeepStrictEqual(known.owner, token.owner);
}
