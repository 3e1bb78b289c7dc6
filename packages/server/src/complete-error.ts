import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { boundedMessage, errorInfo, requestInfo } from "./error-details.ts";
import type { Log } from "./log.ts";

/** The reason of an error that Connect itself raised, for each code that it raises. */
const reasons: Partial<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.InvalidArgument]: "INVALID_REQUEST",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.ResourceExhausted]: "MESSAGE_TOO_LARGE",
  [Code.Unimplemented]: "NOT_IMPLEMENTED",
  [Code.Unavailable]: "UNAVAILABLE",
};

/**
 * Gives an error that carries no ErrorInfo one, in place, since Connect keeps the object that it is about to send.
 * Messages that only its author can understand become "internal error", and the error is logged in full.
 */
export function completeError(error: ConnectError, requestId: string, log: Log): ConnectError {
  if (error.findDetails(ErrorInfoSchema).length > 0) return error;
  if (isUnparsable(error)) restate(error, Code.InvalidArgument, "The request is not a valid Protobuf message.");
  const reason = reasons[error.code];
  if (reason !== undefined) {
    restate(error, error.code, boundedMessage(error.rawMessage));
    error.details.push(errorInfo(reason));
    return error;
  }
  log.error({ err: error, requestId }, "internal error");
  restate(error, Code.Internal, "internal error");
  error.details = [errorInfo("INTERNAL"), requestInfo(requestId)];
  return error;
}

/** An answer for a failure that nobody expected: says nothing but what to quote. */
export function internalError(cause: unknown, requestId: string): ConnectError {
  const details = [errorInfo("INTERNAL"), requestInfo(requestId)];
  return new ConnectError("internal error", Code.Internal, undefined, details, cause);
}

// Connect calls this internal, but it is the caller who sent it.
function isUnparsable(error: ConnectError): boolean {
  return error.code === Code.Internal && error.rawMessage.startsWith("parse binary: ");
}

function restate(error: ConnectError, code: Code, rawMessage: string): void {
  Object.assign(error, { code, rawMessage, message: rawMessage });
}
