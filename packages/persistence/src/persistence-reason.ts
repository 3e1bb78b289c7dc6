/**
 * Why the database's side of a service refuses: TRANSACTION_CONFLICT is ABORTED, DATABASE_UNAVAILABLE is UNAVAILABLE,
 * the two malformed tokens are INVALID_ARGUMENT.
 */
export type PersistenceReason =
  | "DATABASE_UNAVAILABLE"
  | "PAGE_TOKEN_INVALID"
  | "RESUME_TOKEN_INVALID"
  | "TRANSACTION_CONFLICT";
