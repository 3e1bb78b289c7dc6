import type { World } from "@helix-zed/domain";
import { type Authenticate, bearerAuthenticator } from "./authenticate.ts";
import { needing, optional, type Read, required, type Setting, withDefault } from "./environment.ts";
import { followTokensFile } from "./follow-tokens-file.ts";
import { JwtVerifier } from "./jwt-verifier.ts";
import type { Log } from "./log.ts";
import { integer, text, url } from "./parsers.ts";
import { TokenList } from "./token-list.ts";
import { type KnownToken, readTokensFile } from "./tokens-file.ts";

/** A tokens file, and what was in it when the service began. */
export interface TokensFile {
  readonly path: string;
  readonly tokens: readonly KnownToken[];
}

/** What services that authenticate their callers can be told: listed tokens, and whose JSON Web Tokens to accept. */
export interface AuthenticationSettings {
  readonly tokens: Setting<TokensFile>;
  readonly jwtIssuer: Setting<string | null>;
  readonly jwtAudience: Setting<string | null>;
  readonly jwksUrl: Setting<string | null>;
  readonly jwtOrganizationClaim: Setting<string>;
  readonly jwtClockSkewMs: Setting<number>;
}

const ISSUER = "HELIX_ZED_JWT_ISSUER";
const AUDIENCE = "HELIX_ZED_JWT_AUDIENCE";
const KEYS = "HELIX_ZED_JWKS_URL";
const CLOCK_SKEW_MS = 30_000;
const CLOCK_SKEW_MS_MAX = 300_000;

/** The settings of services that authenticate their callers. Issuer, audience and key set go together. */
export function authenticationSettings(): AuthenticationSettings {
  const skew = integer({ min: 0, max: CLOCK_SKEW_MS_MAX, unit: "milliseconds" });
  const all = [ISSUER, AUDIENCE, KEYS];
  return {
    tokens: required("HELIX_ZED_TOKENS_FILE", tokensFile),
    jwtIssuer: needing(optional(ISSUER, text()), ...all),
    jwtAudience: needing(optional(AUDIENCE, text()), ...all),
    jwksUrl: needing(optional(KEYS, url("http", "https")), ...all),
    jwtOrganizationClaim: needing(withDefault("HELIX_ZED_JWT_ORGANIZATION_CLAIM", text(), "organization_id"), ...all),
    jwtClockSkewMs: needing(withDefault("HELIX_ZED_JWT_CLOCK_SKEW_MS", skew, CLOCK_SKEW_MS), ...all),
  };
}

function tokensFile(path: string): TokensFile {
  try {
    return { path, tokens: readTokensFile(path) };
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new Error(`names a file that cannot be used: ${why}`, { cause: error });
  }
}

/** Authentication as it is configured, until it is closed. */
export interface OpenAuthentication {
  readonly authenticate: Authenticate;
  readonly close: () => Promise<void>;
}

/** Begins to authenticate, and to follow the tokens file. */
export function openAuthentication(
  config: Read<AuthenticationSettings>,
  { log, world }: { readonly log: Log; readonly world: World },
): OpenAuthentication {
  const tokens = new TokenList(config.tokens.tokens);
  const closing = new AbortController();
  const { signal } = closing;
  const following = followTokensFile({ path: config.tokens.path, tokens, log, world, signal });
  const close = async (): Promise<void> => {
    closing.abort();
    await following;
  };
  return { authenticate: bearerAuthenticator({ tokens, jwts: verifierFor(config, { log, world }) }), close };
}

function verifierFor(
  config: Read<AuthenticationSettings>,
  { log, world }: { readonly log: Log; readonly world: World },
): JwtVerifier | null {
  const { jwtIssuer: issuer, jwtAudience: audience, jwksUrl } = config;
  if (issuer === null || audience === null || jwksUrl === null) return null;
  const { jwtOrganizationClaim: organizationClaim, jwtClockSkewMs: clockSkewMs } = config;
  const warn = (error: unknown): void => log.warn({ err: error }, "the keys of the identity provider cannot be had");
  return new JwtVerifier({ issuer, audience, jwksUrl, organizationClaim, clockSkewMs }, { world, warn });
}
