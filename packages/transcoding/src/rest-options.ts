import type { DescService, Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Invoker } from "./invoker.ts";
import type { JsonDialect } from "./json-writer.ts";
import type { NodeRequest } from "./node-http.ts";

/** A service and how to call it. */
export interface RestService {
  readonly service: DescService;
  readonly invoker: Invoker;
}

/** What to serve over REST, and how. Everything but the services has a default. */
export interface RestOptions {
  readonly services: readonly RestService[];
  /** How answers are spelled; requests may use either. Default: ProtoJSON. */
  readonly dialect?: JsonDialect;
  /** Write fields that hold their default, so that a resource always has the same shape. Default: true. */
  readonly emitDefaults?: boolean;
  /** Types that an Any or an error detail may hold, beside google.rpc's own. */
  readonly registry?: Registry;
  /** `domain` of the ErrorInfo on errors made here. Default: such errors carry no ErrorInfo. */
  readonly errorDomain?: string;
  /** Request headers that the service gets to see; "x-*" for a prefix. Default: `authorization`, `x-request-id` and those of W3C tracing. */
  readonly requestHeaders?: readonly string[];
  /** Response headers of the service that the caller gets to see. Default: none. */
  readonly responseHeaders?: readonly string[];
  /** The largest body that is read. Default: 4 MiB. */
  readonly maxBodyBytes?: number;
  /** Deadline of unary calls whose caller asks for none. Default: none. */
  readonly defaultTimeoutMs?: number;
  /** The longest deadline that a caller may ask for. Default: no limit. */
  readonly maxTimeoutMs?: number;
  /**
   * Field of requests and resources that holds a resource's entity tag, in double quotes as AIP-154 says: the `ETag` of
   * reads, and what `If-Match` is put into. Default: none.
   */
  readonly etagField?: string;
  /** Field of requests that makes a call safe to repeat: what `Idempotency-Key` is put into. Default: none. */
  readonly requestIdField?: string;
  /** The smallest answer that is compressed for callers who take that. Default: 1 KiB. Streams never are. */
  readonly compressMinBytes?: number;
  readonly streams?: StreamOptions;
  /** Its abort ends all streams with UNAVAILABLE; unary calls go on. */
  readonly shutdownSignal?: AbortSignal;
  /** Told about failures that nobody expected; may give the error to show instead of a bare "internal error". */
  readonly onUnexpected?: (error: unknown, request: NodeRequest) => ConnectError | undefined;
}

/** How server streams are sent. */
export interface StreamOptions {
  /** Field of the messages of a stream that says where to go on after it: the `id` of server-sent events. */
  readonly idField?: string;
  /** Field of the request that takes such an id: what `Last-Event-ID` is put into. */
  readonly resumeField?: string;
  /** Silence after which a comment is sent over server-sent events. Default: 15 s. */
  readonly heartbeatMs?: number;
  /** How long a silent call may take to be refused before the response begins with 200. Default: 250 ms. */
  readonly headerDelayMs?: number;
}
