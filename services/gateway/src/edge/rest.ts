import { createRegistry } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import {
  callTimeoutMsMax,
  errorDomain,
  type Log,
  messageBytesMax,
  type NodeHandlerFn,
  requestIdHeader,
} from "@helix-zed/server";
import { createRestHandler, overTransport } from "@helix-zed/transcoding";
import { internalError } from "./edge-error.ts";
import type { Upstream } from "./upstream.ts";

/** The REST paths of all services, as their protos annotate them; JSON as it is stored. */
export function createRest(
  upstreams: readonly Upstream[],
  { log, draining }: { readonly log: Log; readonly draining: AbortSignal },
): NodeHandlerFn {
  return createRestHandler({
    services: upstreams.flatMap(({ name, services, transport }) => {
      const invoker = overTransport(transport, { name });
      return services.map((service) => ({ service, invoker }));
    }),
    dialect: "plain",
    registry: createRegistry(file_google_rpc_error_details),
    errorDomain,
    requestHeaders: ["authorization", requestIdHeader, "helix-*", "traceparent", "tracestate"],
    maxBodyBytes: messageBytesMax,
    maxTimeoutMs: callTimeoutMsMax,
    etagField: "etag",
    requestIdField: "request_id",
    streams: { idField: "resume_token", resumeField: "resume_token" },
    shutdownSignal: draining,
    onUnexpected(error, request) {
      const requestId = String(request.headers[requestIdHeader]);
      log.error({ err: error, requestId }, "a REST call failed");
      return internalError(requestId);
    },
  });
}
