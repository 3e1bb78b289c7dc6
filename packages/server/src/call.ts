import { createContextKey, type HandlerContext, type UnaryRequest } from "@connectrpc/connect";
import type { Actor } from "@helix-zed/domain";
import type { Authentication } from "./authenticate.ts";
import { type Ending, endingOfSignal } from "./ending.ts";

/** What is known about one RPC while it runs. */
export interface Call {
  readonly requestId: string;
  readonly startedAtMs: number;
  /** When it is answered, refused, cancelled, past its deadline or shut down. */
  readonly ending: Ending;
  /** `null` for calls that need no token: health and reflection. */
  authentication: Authentication | null;
  /** Whether the handler has given its whole answer. */
  answered: boolean;
  /** Messages sent so far. */
  sent: number;
}

/** Where the call is kept for interceptors. */
export const callKey = createContextKey<Call | null>(null, { description: "call" });

/** When a call is over, for interceptors. */
export function endingOf(request: Pick<UnaryRequest, "contextValues" | "signal">): Ending {
  return request.contextValues.get(callKey)?.ending ?? endingOfSignal(request.signal);
}

/** Who asks, for handlers. */
export function actorOf(context: Pick<HandlerContext, "values">): Actor {
  const actor = context.values.get(callKey)?.authentication?.actor ?? null;
  if (actor === null) throw new Error("A handler was reached without authentication.");
  return actor;
}

/** The id that the caller can quote when asking for help. */
export function requestIdOf(context: Pick<HandlerContext, "values">): string {
  return context.values.get(callKey)?.requestId ?? "unknown";
}
