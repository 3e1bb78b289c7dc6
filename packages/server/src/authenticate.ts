import { type Actor, type Principal, Refusal } from "@helix-zed/domain";
import { isJwt, type JwtVerifier } from "./jwt-verifier.ts";
import type { ServerReason } from "./server-reasons.ts";
import { TokenList } from "./token-list.ts";
import { tokenRefusal } from "./token-refusal.ts";
import { type KnownToken, namePattern, type TokenOwner } from "./tokens-file.ts";

/** The header in which a service names the user it acts for. */
export const userIdHeader = "helix-user-id";

/** The header in which a service names the organization of the user it acts for. */
export const organizationIdHeader = "helix-organization-id";

/** Who calls, and how long what they showed is good: a stream that outlives it is ended. */
export interface Authentication {
  readonly actor: Actor;
  readonly expiresAt?: Date;
  /** Aborts with the refusal to show as its reason. */
  readonly revoked?: AbortSignal;
}

/** Finds out who calls from the headers of a call; throws a `Refusal` if it cannot. */
export type Authenticate = (headers: Headers) => Authentication | Promise<Authentication>;

/** What callers may show. */
export interface Credentials {
  readonly tokens: TokenList;
  /** `null` where no identity provider is trusted. */
  readonly jwts: JwtVerifier | null;
}

/** Authenticates bearer tokens: listed ones, and JSON Web Tokens. */
export function bearerAuthenticator({ tokens, jwts }: Credentials): Authenticate {
  return (headers) => {
    const token = bearerToken(headers);
    const listed = tokens.find(token);
    if (listed !== null) return { actor: actorFor(listed.owner, headers), revoked: listed.revoked };
    if (jwts === null || !isJwt(token)) throw tokenRefusal("TOKEN_UNKNOWN", "The token is not known here.");
    return jwts.verify(token).then(({ principal, expiresAt }) => ({ actor: userActor(principal, headers), expiresAt }));
  };
}

/** Authenticates bearer tokens against a list that does not change. */
export function tokenAuthenticator(tokens: readonly KnownToken[]): Authenticate {
  return bearerAuthenticator({ tokens: new TokenList(tokens), jwts: null });
}

/** The bearer token of a call; refuses with `TOKEN_MISSING` or `TOKEN_MALFORMED`. */
export function bearerToken(headers: Headers): string {
  const header = headers.get("authorization");
  if (header === null || header === "") {
    throw tokenRefusal("TOKEN_MISSING", "This call needs a token: send the header Authorization: Bearer TOKEN.");
  }
  const token = /^Bearer +([\w.~+/-]{1,8192}=*)$/i.exec(header)?.[1];
  if (token === undefined) {
    throw tokenRefusal("TOKEN_MALFORMED", "The Authorization header must read: Bearer TOKEN.");
  }
  return token;
}

function actorFor(owner: TokenOwner, headers: Headers): Actor {
  if (owner.kind === "user") return userActor(owner, headers);
  const principal = principalIn(headers);
  const { name, roles } = owner;
  if (principal !== null) return { kind: "service", name, roles, actsFor: principal };
  if (roles.includes("runner")) return { kind: "service", name, roles };
  throw refusal("ACTS_FOR_MISSING", `The service ${name} must name the user it acts for in ${userIdHeader}.`);
}

function userActor({ userId, organizationId }: Principal, headers: Headers): Actor {
  if (principalIn(headers) !== null) {
    throw refusal("ACTS_FOR_FORBIDDEN", `Only services may act for others: leave out ${userIdHeader}.`);
  }
  return { kind: "user", userId, ...(organizationId === undefined ? {} : { organizationId }) };
}

function principalIn(headers: Headers): Principal | null {
  const userId = headers.get(userIdHeader) ?? "";
  const organizationId = headers.get(organizationIdHeader) ?? "";
  if (userId === "" && organizationId === "") return null;
  if (!namePattern.test(userId)) {
    throw refusal("ACTS_FOR_MALFORMED", `${userIdHeader} must be 1 to 128 visible ASCII characters.`);
  }
  if (organizationId === "") return { userId };
  if (!namePattern.test(organizationId)) {
    throw refusal("ACTS_FOR_MALFORMED", `${organizationIdHeader} must be 1 to 128 visible ASCII characters.`);
  }
  return { userId, organizationId };
}

function refusal(reason: ServerReason, message: string): Refusal<ServerReason> {
  return new Refusal(reason, message);
}
