import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { durationMs } from "@bufbuild/protobuf/wkt";

/** Another service of ours refused, failed or could not be reached. Its words are for our log, not for our callers. */
export class UpstreamError extends Error {
  /** Who it was: `task-service`. */
  readonly upstream: string;
  readonly code: Code;
  /** The reason that it gave, or `null` if it did not get to give one. */
  readonly reason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** When it asked to be tried again, if it did. */
  readonly retryAfterMs: number | null;

  constructor(upstream: string, error: ConnectError) {
    super(`${upstream}: ${error.message}`, { cause: error });
    this.name = "UpstreamError";
    this.upstream = upstream;
    this.code = error.code;
    const info = error.findDetails(ErrorInfoSchema)[0];
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    this.reason = info?.reason ?? null;
    this.metadata = info?.metadata ?? {};
    this.retryAfterMs = delay === undefined ? null : durationMs(delay);
  }

  /** Whether the same call may succeed later: it was out of reach, too slow, or stopping. */
  get isTransient(): boolean {
    return this.code === Code.Unavailable || this.code === Code.DeadlineExceeded;
  }
}
