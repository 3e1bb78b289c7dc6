// Calls that are made again until they have an answer.
//
// An answer is what the service itself says: a result, or an error with ErrorInfo. A connection that breaks, a refused
// one and a deadline are none, and UNAVAILABLE asks to come again. Whoever comes again does not know whether an earlier
// try was carried out, which is what request ids and etags are for.

import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";

/** What a call came to. */
export type Outcome<T> =
  | { readonly kind: "result"; readonly value: T; readonly isFirstTry: boolean }
  | { readonly kind: "refused"; readonly error: ConnectError; readonly isFirstTry: boolean };

const PAUSE_MS = 20;
const TRIES_MAX = 2_000;

/** Counts what callers were told while they went on calling. */
export class ErrorTally {
  readonly #counts = new Map<string, number>();
  /** UNAVAILABLE without a time to come again. */
  withoutRetryInfo = 0;
  /** Calls that had no answer at all. */
  unanswered = 0;

  /** Notes an error, and says whether the service itself has given it. */
  note(error: ConnectError): boolean {
    const [info] = error.findDetails(ErrorInfoSchema);
    // A deadline that the server noticed before its client did is no answer either: nobody knows what came of the call.
    if (info === undefined || error.code === Code.DeadlineExceeded) {
      this.unanswered++;
      return false;
    }
    const key = `${Code[error.code]} ${info.reason}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (error.code === Code.Unavailable && error.findDetails(RetryInfoSchema).length === 0) this.withoutRetryInfo++;
    return true;
  }

  /** Every code and reason that was given, with how often. */
  get answers(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

/** Makes the call until the service has answered it with something else than UNAVAILABLE. */
export async function callUntilAnswered<T>(tally: ErrorTally, call: () => Promise<T>): Promise<Outcome<T>> {
  for (let tries = 1; ; tries++) {
    const isFirstTry = tries === 1;
    try {
      return { kind: "result", value: await call(), isFirstTry };
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const isAnswer = tally.note(error);
      if (isAnswer && error.code !== Code.Unavailable) return { kind: "refused", error, isFirstTry };
      if (tries === TRIES_MAX) throw error;
      await delay(PAUSE_MS);
    }
  }
}
