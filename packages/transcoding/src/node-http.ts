import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request over HTTP/1.1 or HTTP/2. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

type Differing = "write" | "writeHead" | "end";

/** A response over HTTP/1.1 or HTTP/2: what both can do. */
export type NodeResponse = (Omit<ServerResponse, Differing> | Omit<Http2ServerResponse, Differing>) & {
  write(chunk: string | Uint8Array): boolean;
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown;
  end(): unknown;
  end(chunk: string | Uint8Array): unknown;
};

/** Answers a request over HTTP/1.1 or HTTP/2. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** The value of a header that may stand only once; several are joined, as HTTP does. */
export function headerOf(request: NodeRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}
