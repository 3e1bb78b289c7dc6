// Retrying calls
//
// A call is made again where that cannot do harm and may help: it only reads, or it carries a request id, under which the
// services do a thing once whatever comes twice. A create without a request id is given one before the first try. It is
// not made again after an answer that would be the same: only UNAVAILABLE, and RESOURCE_EXHAUSTED and ABORTED where the
// server says when to come again. The caller's deadline and signal cover all tries together.

import type { DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, type Interceptor } from "@connectrpc/connect";
import { askedFor, pauseAfter } from "./back-off.ts";
import { type Clock, systemClock } from "./clock.ts";
import { errorCode } from "./error-code.ts";

/** How patient calls are. */
export interface RetryOptions {
  /** How often a call is made at most. Default 5. */
  readonly attemptsMax?: number;
  /** The pause after the first failure, in milliseconds; doubled for each further one. Default 100. */
  readonly firstMs?: number;
  /** The longest pause unless the server asks for a longer one, in milliseconds. Default 5,000. */
  readonly maxMs?: number;
  readonly clock?: Pick<Clock, "sleep" | "random">;
  /** A new request id, a UUID. */
  readonly newRequestId?: () => string;
}

/** Makes calls again that are safe to repeat. Streams are not: see `Watch`. */
export function retry(options: RetryOptions = {}): Interceptor {
  const { attemptsMax = 5, firstMs = 100, maxMs = 5_000, clock = systemClock } = options;
  const { newRequestId = () => crypto.randomUUID() } = options;
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const repeatable =
      request.method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN ||
      carriesRequestId(request.method.input, request.message, newRequestId);
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request);
      } catch (error) {
        if (!repeatable || attempt >= attemptsMax || request.signal.aborted || !mayHelp(error)) throw error;
        await clock.sleep(pauseAfter(attempt, error, { firstMs, maxMs }, clock), request.signal).catch(() => {
          throw error;
        });
      }
    }
  };
}

/** Whether the request has a request id; gives it one if it has the field for it. */
function carriesRequestId(schema: DescMessage, message: Message, newRequestId: () => string): boolean {
  const field = schema.field["requestId"];
  if (field?.fieldKind !== "scalar") return false;
  const request = reflect(schema, message);
  if (request.get(field) === "") request.set(field, newRequestId());
  return true;
}

function mayHelp(error: unknown): boolean {
  const code = errorCode(error);
  if (code === Code.Unavailable) return true;
  return (code === Code.ResourceExhausted || code === Code.Aborted) && askedFor(error) !== undefined;
}
