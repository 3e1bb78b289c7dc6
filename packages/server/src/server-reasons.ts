import { Code } from "@connectrpc/connect";

/** Why every service of ours may refuse a call, whatever the call is. */
export type ServerReason =
  | "TOKEN_MISSING"
  | "TOKEN_MALFORMED"
  | "TOKEN_UNKNOWN"
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
  ACTS_FOR_FORBIDDEN: Code.PermissionDenied,
  ACTS_FOR_MALFORMED: Code.InvalidArgument,
  ACTS_FOR_MISSING: Code.PermissionDenied,
  INVALID_REQUEST: Code.InvalidArgument,
  SERVER_DRAINING: Code.Unavailable,
  UPSTREAM_UNAVAILABLE: Code.Unavailable,
};
