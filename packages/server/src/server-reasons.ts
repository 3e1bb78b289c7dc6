import { Code } from "@connectrpc/connect";

/** Why every service of ours may refuse a call, whatever the call is. */
export type ServerReason =
  | "TOKEN_MISSING"
  | "TOKEN_MALFORMED"
  | "TOKEN_UNKNOWN"
  | "TOKEN_EXPIRED"
  | "TOKEN_NOT_YET_VALID"
  | "TOKEN_AUDIENCE_WRONG"
  | "TOKEN_ISSUER_WRONG"
  | "TOKEN_ALGORITHM_REFUSED"
  | "TOKEN_CLAIMS_INVALID"
  | "TOKEN_REVOKED"
  | "TOKEN_KEYS_UNAVAILABLE"
  | "ACTS_FOR_FORBIDDEN"
  | "ACTS_FOR_MALFORMED"
  | "ACTS_FOR_MISSING"
  | "INVALID_REQUEST"
  | "SERVER_DRAINING"
  | "UPSTREAM_UNAVAILABLE";

/** Their codes. */
export const serverCodes: Readonly<Record<ServerReason, Code>> = {
  TOKEN_MISSING: Code.Unauthenticated,
  TOKEN_MALFORMED: Code.Unauthenticated,
  TOKEN_UNKNOWN: Code.Unauthenticated,
  TOKEN_EXPIRED: Code.Unauthenticated,
  TOKEN_NOT_YET_VALID: Code.Unauthenticated,
  TOKEN_AUDIENCE_WRONG: Code.Unauthenticated,
  TOKEN_ISSUER_WRONG: Code.Unauthenticated,
  TOKEN_ALGORITHM_REFUSED: Code.Unauthenticated,
  TOKEN_CLAIMS_INVALID: Code.Unauthenticated,
  TOKEN_REVOKED: Code.Unauthenticated,
  // Whether the token is good, nobody can tell at the moment.
  TOKEN_KEYS_UNAVAILABLE: Code.Unavailable,
  ACTS_FOR_FORBIDDEN: Code.PermissionDenied,
  ACTS_FOR_MALFORMED: Code.InvalidArgument,
  ACTS_FOR_MISSING: Code.PermissionDenied,
  INVALID_REQUEST: Code.InvalidArgument,
  SERVER_DRAINING: Code.Unavailable,
  UPSTREAM_UNAVAILABLE: Code.Unavailable,
};
