import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Log } from "./log.ts";

/** A request over HTTP/1.1 or HTTP/2. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** A response over HTTP/1.1 or HTTP/2: what both can do. */
export type NodeResponse = Parameters<typeof universalResponseToNodeResponse>[1];

/** Answers a request over HTTP/1.1 or HTTP/2. */
export type NodeHandlerFn = (request: NodeRequest, response: NodeResponse) => void;

/** What to serve: RPCs by their path, and everything else. */
export interface RpcListenerOptions {
  readonly router: ConnectRouter;
  readonly fallback: NodeHandlerFn;
  readonly log: Log;
}

/**
 * Answers RPCs from the router and leaves all other paths to the fallback.
 *
 * Connect's own adapter does the same, but throws out of the request listener where the authority of a request is
 * missing or malformed (one such request would end the process), and reports failures on the console only.
 */
export function createRpcListener({ router, fallback, log }: RpcListenerOptions): NodeHandlerFn {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(pathOf(request));
    if (handler === undefined) {
      fallback(request, response);
      return;
    }
    answer(handler, request, response).catch((error: unknown) => {
      // The peer has gone: nobody is left to be told.
      if (ConnectError.from(error).code === Code.Aborted) return;
      log.warn({ err: error, method: handler.method.name }, "a response could not be written");
      response.destroy();
    });
  };
}

async function answer(
  handler: ConnectRouter["handlers"][number],
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const universal = toUniversal(request, response);
  if (universal === null) {
    response.writeHead(400, { "content-type": "text/plain" });
    response.end("The request names no valid host.\n");
    return;
  }
  await universalResponseToNodeResponse(await handler(universal), response);
}

function toUniversal(
  request: NodeRequest,
  response: NodeResponse,
): ReturnType<typeof universalRequestFromNodeRequest> | null {
  try {
    return universalRequestFromNodeRequest(request, response, undefined, undefined);
  } catch {
    return null;
  }
}

/** The path of a request, without its query. */
export function pathOf(request: NodeRequest): string {
  return request.url?.split("?", 1)[0] ?? "";
}
