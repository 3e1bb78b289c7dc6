import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { sendJsonError } from "./fallback.ts";
import { respellTrailers } from "./grpc-message.ts";
import type { Log } from "./log.ts";
import { type NodeHandlerFn, type NodeRequest, type NodeResponse, pathOf } from "./node-handler.ts";

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

type Handler = ConnectRouter["handlers"][number];

async function answer(handler: Handler, request: NodeRequest, response: NodeResponse): Promise<void> {
  const universal = toUniversal(request, response);
  if (universal === null) {
    sendJsonError(response, 400, { code: "invalid_argument", message: "The request names no valid host." });
    return;
  }
  const answered = await handler(universal);
  const { status, body, trailer } = answered;
  if (body === undefined && status >= 400) {
    if (status === 405) response.setHeader("allow", handler.allowedMethods.join(", "));
    sendJsonError(response, status, { code: "invalid_argument", message: whyNot(handler, status) });
    return;
  }
  // A getter: Connect fills the trailers while it sends the body, and reads them afterwards.
  const respelled = trailer && {
    ...answered,
    get trailer() {
      return respellTrailers(trailer);
    },
  };
  await universalResponseToNodeResponse(respelled ?? answered, response);
}

// Connect sends these with nothing but their status.
function whyNot(handler: Handler, status: number): string {
  const method = `${handler.service.typeName}/${handler.method.name}`;
  switch (status) {
    case 405:
      return `${method} takes requests of the HTTP method ${handler.allowedMethods.join(" or ")} only.`;
    case 415:
      return handler.method.methodKind === "unary"
        ? `${method} takes the content-type application/json, application/proto, application/grpc or application/grpc-web.`
        : `${method} takes the content-type application/connect+json, application/connect+proto, application/grpc or application/grpc-web.`;
    case 505:
      return `${method} streams both ways, which needs HTTP/2.`;
    default:
      return `${method} cannot be called like this.`;
  }
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
