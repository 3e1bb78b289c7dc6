import type { NodeHandlerFn } from "./rpc-listener.ts";
import { pathOf } from "./rpc-listener.ts";

/** Says that there is nothing here: to gRPC clients as UNIMPLEMENTED, to all others as Connect's JSON error with a 404. */
export const notFoundFallback: NodeHandlerFn = (request, response) => {
  const message = `There is no such method: ${pathOf(request)}`;
  const contentType = request.headers["content-type"] ?? "";
  if (/^application\/grpc(?!-web)/.test(contentType)) {
    const grpcMessage = encodeURIComponent(message);
    response.writeHead(200, { "content-type": contentType, "grpc-status": "12", "grpc-message": grpcMessage });
    response.end();
    return;
  }
  response.writeHead(404, { "content-type": "application/json" });
  response.end(JSON.stringify({ code: "unimplemented", message }));
};
