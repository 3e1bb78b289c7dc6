import { Code } from "@connectrpc/connect";
import type { World } from "@helix-zed/domain";
import { encodeGrpcMessage } from "./grpc-message.ts";
import type { Log } from "./log.ts";
import { requestIdHeader } from "./request-id.ts";
import { type NodeHandlerFn, type NodeRequest, type NodeResponse, pathOf } from "./node-handler.ts";

/** Answers requests that are no RPC. */
export type Fallback = (request: NodeRequest, response: NodeResponse) => void | Promise<void>;

/** Says that there is nothing here: to gRPC clients as UNIMPLEMENTED, to all others as Connect's JSON error with a 404. */
export const notFoundFallback: Fallback = (request, response) => {
  const message = `There is no such method: ${pathOf(request)}`;
  const contentType = request.headers["content-type"] ?? "";
  if (/^application\/grpc(?!-web)/.test(contentType)) {
    // Set, not written: only headers that end the stream are read as trailers.
    response.setHeader("content-type", contentType);
    response.setHeader("grpc-status", String(Code.Unimplemented));
    response.setHeader("grpc-message", encodeGrpcMessage(message));
    response.end();
    return;
  }
  sendJsonError(response, 404, { code: "unimplemented", message });
};

/** Sends an error as Connect spells it. */
export function sendJsonError(response: NodeResponse, status: number, error: { code: string; message: string }): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(error));
}

/** Runs the fallback so that it logs one line a request, and so that a failure of it is an answer and not the end. */
export function guardFallback(fallback: Fallback, log: Log, world: Pick<World, "now">): NodeHandlerFn {
  return (request, response) => {
    const startedAt = world.now();
    const requestId = request.headers[requestIdHeader];
    response.once("close", () => {
      const durationMs = world.now().getTime() - startedAt.getTime();
      // Without its query, which may hold what nobody else should read.
      const line = {
        method: request.method,
        path: pathOf(request),
        status: response.statusCode,
        requestId,
        durationMs,
      };
      log.info(line, "request");
    });
    answer(fallback, request, response).catch((error: unknown) => {
      log.error({ err: error, requestId }, "internal error");
      if (response.headersSent) response.destroy();
      else sendJsonError(response, 500, { code: "internal", message: "internal error" });
    });
  };
}

// Async, so that what it throws at once is caught like what it rejects with.
async function answer(fallback: Fallback, request: NodeRequest, response: NodeResponse): Promise<void> {
  await fallback(request, response);
}
