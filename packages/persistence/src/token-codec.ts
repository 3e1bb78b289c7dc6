// Tokens that we hand out and get back: page tokens and resume tokens
//
// To the caller they are opaque. Inside: base64url of JSON `[version, binding, payload]`, where the binding is a hash of
// the kind of token and of everything that must not change between two calls (the filter, the tenant). They carry no
// authority: whoever makes one up reads no more than what a call without a token would show.

import { createHash } from "node:crypto";
import { Refusal } from "@helix-zed/domain";
import type { PersistenceReason } from "./persistence-reason.ts";

/** One kind of token. */
export interface TokenOptions<Payload> {
  /** Part of the binding: a token of one kind is none of another. */
  readonly kind: string;
  readonly reason: Extract<PersistenceReason, "PAGE_TOKEN_INVALID" | "RESUME_TOKEN_INVALID">;
  /** Raised when the payload changes its meaning: older tokens are then refused, not misread. */
  readonly version: number;
  /** Checks a payload that came from outside; `undefined` refuses it. */
  readonly parse: (value: unknown) => Payload | undefined;
}

/** Writes and reads the tokens of one request. */
export interface BoundTokens<Payload> {
  /** What they are bound to: the same for requests whose tokens are interchangeable. */
  readonly binding: string;
  encode(payload: Payload): string;
  /** The payload of a token of ours. Refuses every other. */
  decode(token: string): Payload;
}

/** Writes and reads tokens of one kind. */
export class TokenCodec<Payload> {
  readonly #options: TokenOptions<Payload>;

  constructor(options: TokenOptions<Payload>) {
    this.#options = options;
  }

  /** For requests with the same `boundTo` (JSON). */
  bind(boundTo: unknown): BoundTokens<Payload> {
    const { version } = this.#options;
    const binding = this.#binding(boundTo);
    return {
      binding,
      encode: (payload) => Buffer.from(JSON.stringify([version, binding, payload])).toString("base64url"),
      decode: (token) => this.#decode(token, binding),
    };
  }

  /** A token with this payload (JSON) that is good for requests with the same `boundTo` (JSON) only. */
  encode(payload: Payload, boundTo: unknown): string {
    return this.bind(boundTo).encode(payload);
  }

  /** The payload of a token of ours. Refuses every other. */
  decode(token: string, boundTo: unknown): Payload {
    return this.bind(boundTo).decode(token);
  }

  #decode(token: string, expected: string): Payload {
    const [version, binding, value] = parseArray(token);
    if (version === this.#options.version && binding === expected) {
      const payload = this.#options.parse(value);
      if (payload !== undefined) return payload;
    }
    throw this.#refusal();
  }

  #binding(boundTo: unknown): string {
    const text = JSON.stringify([this.#options.kind, boundTo]);
    return createHash("sha256").update(text).digest("base64url").slice(0, 16);
  }

  #refusal(): Refusal<PersistenceReason> {
    const field = this.#options.reason === "PAGE_TOKEN_INVALID" ? "page_token" : "resume_token";
    const description = "is not one that was given out for this request";
    return new Refusal(this.#options.reason, `${field} ${description}.`, {}, { violations: [{ field, description }] });
  }
}

function parseArray(token: string): readonly unknown[] {
  const bytes = Buffer.from(token, "base64url");
  // The decoder passes over what it cannot read, so other texts would be the same token.
  if (bytes.toString("base64url") !== token) return [];
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
