import { Code, type ConnectError } from "@connectrpc/connect";

/** Why this library declines or fails a request by itself; UPPER_SNAKE, as google.rpc.ErrorInfo wants it. */
export type RestReason =
  | "INVALID_REQUEST"
  | "ROUTE_NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "NOT_ACCEPTABLE"
  | "PRECONDITION_FAILED"
  | "MESSAGE_TOO_LARGE"
  | "NOT_IMPLEMENTED"
  | "CANCELLED"
  | "DEADLINE_EXCEEDED"
  | "UPSTREAM_UNAVAILABLE"
  | "SERVER_DRAINING";

/** One thing that is wrong with one field of a request; `field` is written as in the request. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What the caller is told beside the message. */
export interface RestErrorDetails {
  /** Stands in for the HTTP status that the code has by itself, where HTTP knows better: 405, 413, 415. */
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  /** Facts for programs, in google.rpc.ErrorInfo. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** When it may be worth trying again. */
  readonly retryDelayMs?: number;
}

/** A request that this library declines or cannot carry out. Safe to show. */
export class RestError extends Error {
  readonly code: Code;
  readonly reason: RestReason;
  readonly details: RestErrorDetails;

  constructor(code: Code, reason: RestReason, message: string, details: RestErrorDetails = {}) {
    super(message);
    this.name = "RestError";
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

/** The service's refusal of a call that the caller made depend on `If-Match`: 412 over HTTP, with the service's words. */
export class PreconditionFailed extends Error {
  override readonly cause: ConnectError;

  constructor(cause: ConnectError) {
    super(cause.message);
    this.name = "PreconditionFailed";
    this.cause = cause;
  }
}

/** INVALID_ARGUMENT for one field; "" stands for the request as a whole. */
export function invalidField(field: string, description: string): RestError {
  return invalidFields([{ field, description }]);
}

/** INVALID_ARGUMENT for everything that is wrong with a request. */
export function invalidFields(violations: readonly FieldViolation[]): RestError {
  const listed = violations.map(({ field, description }) => (field === "" ? description : `${field}: ${description}`));
  return new RestError(Code.InvalidArgument, "INVALID_REQUEST", listed.join("; "), { violations });
}

/** CANCELLED: there is nobody left to answer. */
export function callerGone(): RestError {
  return new RestError(Code.Canceled, "CANCELLED", "The caller has gone.");
}
