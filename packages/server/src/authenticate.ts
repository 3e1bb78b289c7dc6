import { createHash, timingSafeEqual } from "node:crypto";
import { type Actor, type Principal, Refusal } from "@helix-zed/domain";
import type { ServerReason } from "./server-reasons.ts";
import { type KnownToken, namePattern, type TokenOwner } from "./tokens-file.ts";

/** The header in which a service names the user it acts for. */
export const userIdHeader = "helix-user-id";

/** The header in which a service names the organization of the user it acts for. */
export const organizationIdHeader = "helix-organization-id";

/** Finds out who calls from the headers of a call; throws a `Refusal` if it cannot. */
export type Authenticate = (headers: Headers) => Actor | Promise<Actor>;

/** Authenticates bearer tokens against a list of hashed ones. */
export function tokenAuthenticator(tokens: readonly KnownToken[]): (headers: Headers) => Actor {
  return (headers) => actorFor(ownerOf(bearerToken(headers), tokens), headers);
}

/** The bearer token of a call; refuses with `TOKEN_MISSING` or `TOKEN_MALFORMED`. */
export function bearerToken(headers: Headers): string {
  const header = headers.get("authorization");
  if (header === null || header === "") {
    throw refusal("TOKEN_MISSING", "This call needs a token: send the header Authorization: Bearer TOKEN.");
  }
  const token = /^Bearer +([\w.~+/-]{1,4096}=*)$/i.exec(header)?.[1];
  if (token === undefined) {
    throw refusal("TOKEN_MALFORMED", "The Authorization header must read: Bearer TOKEN.");
  }
  return token;
}

/** The SHA-256 of a token, as a tokens file holds it. */
export function hashToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function ownerOf(token: string, tokens: readonly KnownToken[]): TokenOwner {
  const hash = hashToken(token);
  let owner: TokenOwner | null = null;
  // All of them, each in constant time: how long it takes says nothing about which token came close.
  for (const known of tokens) {
    if (timingSafeEqual(hash, known.sha256)) owner = known.owner;
  }
  if (owner === null) throw refusal("TOKEN_UNKNOWN", "The token is not known here.");
  return owner;
}

function actorFor(owner: TokenOwner, headers: Headers): Actor {
  const principal = principalIn(headers);
  if (owner.kind === "user") {
    if (principal !== null) {
      throw refusal("ACTS_FOR_FORBIDDEN", `Only services may act for others: leave out ${userIdHeader}.`);
    }
    const { userId, organizationId } = owner;
    return { kind: "user", userId, ...(organizationId === undefined ? {} : { organizationId }) };
  }
  const { name, roles } = owner;
  if (principal !== null) return { kind: "service", name, roles, actsFor: principal };
  if (roles.includes("runner")) return { kind: "service", name, roles };
  throw refusal("ACTS_FOR_MISSING", `The service ${name} must name the user it acts for in ${userIdHeader}.`);
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
