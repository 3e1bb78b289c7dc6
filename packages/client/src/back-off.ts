import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import type { Clock } from "./clock.ts";

/** How long to wait between tries, in milliseconds. */
export interface BackOff {
  /** The pause after the first failure; doubled for each further one in a row. */
  readonly firstMs: number;
  /** The longest pause that doubling leads to. */
  readonly maxMs: number;
}

/**
 * The pause after this many failures in a row, at least as long as the server asked for. Half of it is random, so that
 * clients that lost one server do not all return in the same instant.
 */
export function pauseAfter(
  failures: number,
  error: unknown,
  { firstMs, maxMs }: BackOff,
  { random }: Pick<Clock, "random">,
): number {
  const pauseMaxMs = Math.min(firstMs * 2 ** (failures - 1), maxMs);
  return Math.max((pauseMaxMs / 2) * (1 + random()), askedFor(error) ?? 0);
}

/** The time after which the server asked to be tried again, in milliseconds, if it did. */
export function askedFor(error: unknown): number | undefined {
  const delay = answerOf(error)?.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay === undefined ? undefined : durationMs(delay);
}

/** What the server answered, also where the transport puts an error of its own around it. */
function answerOf(error: unknown): ConnectError | undefined {
  if (error instanceof ConnectError) return error;
  return error instanceof Error && error.cause instanceof ConnectError ? error.cause : undefined;
}
