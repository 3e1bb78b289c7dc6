import { Code } from "@connectrpc/connect";

/** How a code of google.rpc.Code looks over HTTP: the table in google/rpc/code.proto. */
export interface HttpStatus {
  readonly http: number;
  readonly name: string;
}

const statuses: Record<Code, HttpStatus> = {
  [Code.Canceled]: { http: 499, name: "CANCELLED" },
  [Code.Unknown]: { http: 500, name: "UNKNOWN" },
  [Code.InvalidArgument]: { http: 400, name: "INVALID_ARGUMENT" },
  [Code.DeadlineExceeded]: { http: 504, name: "DEADLINE_EXCEEDED" },
  [Code.NotFound]: { http: 404, name: "NOT_FOUND" },
  [Code.AlreadyExists]: { http: 409, name: "ALREADY_EXISTS" },
  [Code.PermissionDenied]: { http: 403, name: "PERMISSION_DENIED" },
  [Code.ResourceExhausted]: { http: 429, name: "RESOURCE_EXHAUSTED" },
  [Code.FailedPrecondition]: { http: 400, name: "FAILED_PRECONDITION" },
  [Code.Aborted]: { http: 409, name: "ABORTED" },
  [Code.OutOfRange]: { http: 400, name: "OUT_OF_RANGE" },
  [Code.Unimplemented]: { http: 501, name: "UNIMPLEMENTED" },
  [Code.Internal]: { http: 500, name: "INTERNAL" },
  [Code.Unavailable]: { http: 503, name: "UNAVAILABLE" },
  [Code.DataLoss]: { http: 500, name: "DATA_LOSS" },
  [Code.Unauthenticated]: { http: 401, name: "UNAUTHENTICATED" },
};

/** The HTTP status and the canonical name of a code. */
export function httpStatusOf(code: Code): HttpStatus {
  return statuses[code];
}
