// JSON Web Tokens
//
// A token of an identity provider is good if one of the provider's keys has signed it with an algorithm of public keys, and
// if issuer, audience and times are right, give or take the clock skew. Its subject is the user; a claim of choice names the
// organization.
//
// The keys come from the provider's key set (JWKS) and are kept. A token with a key id that is not among them makes one
// request for the set, at most one in `cooldownMs`: so keys rotate without a restart, and made-up ids cost next to nothing.
// A set of some age is asked for again in the background, so that keys that were withdrawn go. While the provider cannot be
// reached, the known keys go on; a token of an unknown key is then not refused, since nobody can tell, but put off.

import type { Principal, World } from "@helix-zed/domain";
import { Refusal } from "@helix-zed/domain";
import {
  createRemoteJWKSet,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import type { ServerReason } from "./server-reasons.ts";
import { type TokenReason, tokenRefusal } from "./token-refusal.ts";
import { namePattern } from "./tokens-file.ts";

/** Whose tokens to accept. */
export interface JwtOptions {
  /** The exact value of `iss`. */
  readonly issuer: string;
  /** What `aud` must be or contain. */
  readonly audience: string;
  readonly jwksUrl: string;
  /** The claim that names the organization, if the token has it. */
  readonly organizationClaim: string;
  /** How far the clocks may be apart. */
  readonly clockSkewMs: number;
}

/** What a verifier needs besides. */
export interface JwtSurroundings {
  readonly world: Pick<World, "now">;
  /** Hears that the keys could not be had. */
  readonly warn: (error: unknown) => void;
  /** The time between two requests for the key set, at least: 10 s unless told otherwise. */
  readonly cooldownMs?: number;
}

/** Whom a token stands for, and until when. */
export interface VerifiedJwt {
  readonly principal: Principal;
  readonly expiresAt: Date;
}

/** Algorithms of public keys only: with a shared secret, whoever can verify a token could also make one. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const COOLDOWN_MS = 10_000;
const KEYS_AGE_MS_MAX = 300_000;
const KEYS_TIMEOUT_MS = 5_000;

/** Whether a bearer token has the form of a JSON Web Token. */
export function isJwt(token: string): boolean {
  return /^[^.]*\.[^.]*\.[^.]*$/.test(token);
}

/** Verifies the tokens of one identity provider. */
export class JwtVerifier {
  readonly #options: JwtOptions;
  readonly #surroundings: JwtSurroundings;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #refreshAtMs = performance.now() + KEYS_AGE_MS_MAX;

  constructor(options: JwtOptions, surroundings: JwtSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#keys = createRemoteJWKSet(new URL(options.jwksUrl), {
      timeoutDuration: KEYS_TIMEOUT_MS,
      cooldownDuration: surroundings.cooldownMs ?? COOLDOWN_MS,
      // Never too old to be used: see above.
      cacheMaxAge: Infinity,
    });
  }

  /** Whom the token stands for. Refuses one that is not good, with what is wrong with it. */
  async verify(token: string): Promise<VerifiedJwt> {
    this.#refreshNowAndThen();
    const claims = await this.#claimsOf(token);
    const expiresAt = new Date((claims.exp ?? 0) * 1_000 + this.#options.clockSkewMs);
    return { principal: this.#principalOf(claims), expiresAt };
  }

  async #claimsOf(token: string): Promise<JWTPayload> {
    const { issuer, audience, clockSkewMs } = this.#options;
    const rules = {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: clockSkewMs / 1_000,
      currentDate: this.#surroundings.world.now(),
      requiredClaims: ["sub", "exp"],
    };
    try {
      return (await jwtVerify(token, this.#key, rules)).payload;
    } catch (error) {
      throw error instanceof Refusal ? error : refusalOf(error);
    }
  }

  readonly #key: JWTVerifyGetKey = async (header: JWTHeaderParameters, token) => {
    try {
      return await this.#keys(header, token);
    } catch (error) {
      // Several fit where a token names none: whoever rotates keys has to name them.
      const isOfToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
      if (isOfToken.some((kind) => error instanceof kind)) throw error;
      this.#surroundings.warn(error);
      throw keysUnavailable();
    }
  };

  #refreshNowAndThen(): void {
    if (performance.now() < this.#refreshAtMs) return;
    this.#refreshAtMs = performance.now() + KEYS_AGE_MS_MAX;
    this.#keys.reload().catch((error: unknown) => this.#surroundings.warn(error));
  }

  #principalOf(claims: JWTPayload): Principal {
    const userId = nameIn(claims, "sub");
    const { organizationClaim } = this.#options;
    const organization = Object.hasOwn(claims, organizationClaim) ? claims[organizationClaim] : undefined;
    if (organization === undefined || organization === null || organization === "") return { userId };
    return { userId, organizationId: nameIn(claims, organizationClaim) };
  }
}

function nameIn(claims: JWTPayload, claim: string): string {
  const value = claims[claim];
  if (typeof value === "string" && namePattern.test(value)) return value;
  throw tokenRefusal("TOKEN_CLAIMS_INVALID", `The token's claim ${claim} must be 1 to 128 visible ASCII characters.`);
}

function keysUnavailable(): Refusal<ServerReason> {
  const message = "The keys that tokens are checked with cannot be reached at the moment.";
  return new Refusal("TOKEN_KEYS_UNAVAILABLE", message, {}, { retryAfterMs: 1_000 });
}

function refusalOf(error: unknown): Refusal<ServerReason> {
  if (error instanceof errors.JWTExpired) return tokenRefusal("TOKEN_EXPIRED", "The token has expired.");
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error.claim);
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return tokenRefusal("TOKEN_MALFORMED", "The token is not a well-formed JSON Web Token.");
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return tokenRefusal("TOKEN_ALGORITHM_REFUSED", "The token is signed with an algorithm that is not accepted here.");
  }
  return tokenRefusal("TOKEN_UNKNOWN", "The token is not signed by anybody who is trusted here.");
}

const claimRefusals: Readonly<Record<string, readonly [TokenReason, string]>> = {
  aud: ["TOKEN_AUDIENCE_WRONG", "The token is for somebody else: its audience is not this service."],
  iss: ["TOKEN_ISSUER_WRONG", "The token comes from an issuer that is not trusted here."],
  nbf: ["TOKEN_NOT_YET_VALID", "The token is not valid yet."],
};

function claimRefusal(claim: string): Refusal<ServerReason> {
  const [reason, message] = claimRefusals[claim] ?? [
    "TOKEN_CLAIMS_INVALID",
    "The token lacks a claim that it must have (iss, aud, sub, exp), or has one that cannot be read.",
  ];
  return tokenRefusal(reason, message);
}
