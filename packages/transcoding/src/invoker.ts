import type { DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";

/**
 * The seam between a REST call and the service that answers it: over the wire (`overTransport`), or whatever else can
 * carry a message there.
 */
export interface Invoker {
  /** Carries a request to its one answer. */
  unary(method: DescMethodUnary, call: Call): Promise<UnaryReply>;
  /** Carries a request to a stream of answers. May settle late: a server need not send headers before its first message. */
  serverStream(method: DescMethodServerStreaming, call: Call): Promise<StreamReply>;
}

/** One call. */
export interface Call {
  readonly request: Message;
  readonly header: Headers;
  /** Aborted when the caller hangs up; the reason is what the call then fails with. */
  readonly signal: AbortSignal;
  /** undefined: no deadline. */
  readonly timeoutMs: number | undefined;
}

/** The answer of a unary RPC. */
export interface UnaryReply {
  readonly header: Headers;
  readonly message: Message;
}

/** The answers of a server-streaming RPC. */
export interface StreamReply {
  readonly header: Headers;
  readonly messages: AsyncIterable<Message>;
}
