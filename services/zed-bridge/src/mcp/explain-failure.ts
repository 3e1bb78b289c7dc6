import { Code, ConnectError } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import { UpstreamError } from "@helix-zed/server";

/** What task-service says about what was asked of it, not about itself: an agent can do something about that. */
const TELLING: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.FailedPrecondition,
  Code.NotFound,
  Code.AlreadyExists,
  Code.ResourceExhausted,
  Code.PermissionDenied,
]);

/** Why a call could not be carried out, in words for an agent; `null` for a failure of our own. */
export function explainFailure(error: unknown): string | null {
  if (error instanceof Refusal) return withReason(error.message, error.reason);
  if (!(error instanceof UpstreamError)) return null;
  if (TELLING.has(error.code)) return withReason(wordsOf(error), error.reason);
  return error.isTransient || error.code === Code.Aborted
    ? "The service that keeps the work sessions cannot answer now. Try again in a moment."
    : null;
}

function wordsOf({ cause, message }: UpstreamError): string {
  return cause instanceof ConnectError ? cause.rawMessage : message;
}

function withReason(message: string, reason: string | null): string {
  return reason === null ? message : `${message} (${reason})`;
}
