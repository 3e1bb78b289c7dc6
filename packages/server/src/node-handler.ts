import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { universalResponseToNodeResponse } from "@connectrpc/connect-node";

/** A request over HTTP/1.1 or HTTP/2. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** A response over HTTP/1.1 or HTTP/2: what both can do. */
export type NodeResponse = Parameters<typeof universalResponseToNodeResponse>[1];

/** Answers a request over HTTP/1.1 or HTTP/2. */
export type NodeHandlerFn = (request: NodeRequest, response: NodeResponse) => void;

/** The path of a request, without its query. */
export function pathOf(request: NodeRequest): string {
  return request.url?.split("?", 1)[0] ?? "";
}
