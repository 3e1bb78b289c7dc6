import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import { callKey, endingOf } from "./call.ts";
import { completeError, internalError } from "./complete-error.ts";
import type { Ending } from "./ending.ts";
import { boundedMessage, detailsOf } from "./error-details.ts";
import type { Log } from "./log.ts";
import { overseeStream, withMessages } from "./oversee-stream.ts";
import { type ServerReason, serverCodes } from "./server-reasons.ts";
import { UpstreamError } from "./upstream-error.ts";

/** The code of every reason that a service refuses with. */
export type ReasonCodes<Reason extends string = string> = Readonly<Record<Reason, Code>>;

/** Turns whatever is thrown into the one error that the caller may see. */
export type ErrorMapping = (error: unknown, requestId: string) => ConnectError;

/**
 * Refusals keep their words and get the code of their reason; errors of Connect keep their code; an unreachable upstream
 * is UNAVAILABLE; all else is a bug, logged in full and shown as "internal error" with the request id.
 */
export function errorMapping(codes: ReasonCodes, log: Log): ErrorMapping {
  const all = new Map<string, Code>([...Object.entries(codes), ...Object.entries(serverCodes)]);
  return (error, requestId) => {
    if (error instanceof UpstreamError && error.isTransient)
      return toConnectError(unavailable(error), Code.Unavailable);
    if (error instanceof Refusal) {
      const code = all.get(error.reason);
      if (code !== undefined) return toConnectError(error, code);
    }
    // An error that came over a wire belongs to another service: it must have been converted where it arrived.
    if (error instanceof ConnectError && !error.isWireError) return completeError(error, requestId, log);
    log.error({ err: error, requestId }, "internal error");
    return internalError(error, requestId);
  };
}

/** Applies the mapping to unary calls and to streams, also to those that fail after their first message. */
export function mapErrors(map: ErrorMapping): Interceptor {
  return (next) => async (request) => {
    const ending = endingOf(request);
    const requestId = request.contextValues.get(callKey)?.requestId ?? "unknown";
    const fail = (error: unknown): ConnectError => map(causeOf(error, ending), requestId);
    try {
      const response = await next(request);
      // A handler's stream fails while it is read, long after `next` has returned.
      return response.stream ? withMessages(response, mapStream(response.message, fail)) : response;
    } catch (error) {
      throw fail(error);
    }
  };
}

function mapStream<T>(messages: AsyncIterable<T>, failed: (error: unknown) => ConnectError): AsyncIterable<T> {
  return overseeStream(messages, { failed });
}

/** What stopped the call, where the error says only that something did. */
function causeOf(error: unknown, { isOver, reason }: Ending): unknown {
  if (!isOver || !isAbort(error)) return error;
  return isAbort(reason) ? new ConnectError("the caller has gone", Code.Canceled) : reason;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function toConnectError(refusal: Refusal, code: Code): ConnectError {
  return new ConnectError(boundedMessage(refusal.message), code, undefined, detailsOf(refusal), refusal);
}

function unavailable({ upstream }: UpstreamError): Refusal<ServerReason> {
  const message = `${upstream} cannot be reached at the moment.`;
  return new Refusal("UPSTREAM_UNAVAILABLE", message, { upstream }, { retryAfterMs: 1_000 });
}
