import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { errorDomain } from "@helix-zed/server";

const retryDelayMs = 1_000;

/** A service that cannot be reached, or that died before it had answered. */
export function upstreamUnavailable(upstream: string): ConnectError {
  return transient(`${upstream} is out of reach. Try again.`, "UPSTREAM_UNAVAILABLE", { upstream });
}

/** The gateway itself is about to end. */
export function gatewayDraining(): ConnectError {
  return transient("The server is stopping. Connect again.", "SERVER_DRAINING", {});
}

/** No service of this name is served here. */
export function noSuchService(): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason: "NOT_IMPLEMENTED", domain: errorDomain } };
  return new ConnectError("There is no such service here.", Code.Unimplemented, undefined, [info]);
}

/** A failure that nobody expected: says nothing but what to quote. */
export function internalError(requestId: string): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason: "INTERNAL", domain: errorDomain } };
  const quote = { desc: RequestInfoSchema, value: { requestId } };
  return new ConnectError("internal error", Code.Internal, undefined, [info, quote]);
}

function transient(message: string, reason: string, metadata: Record<string, string>): ConnectError {
  return new ConnectError(message, Code.Unavailable, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: errorDomain, metadata } },
    { desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryDelayMs) } },
  ]);
}
