import type { IncomingHttpHeaders } from "node:http";
import type { World } from "@helix-zed/domain";
import type { NodeRequest, NodeResponse } from "./node-handler.ts";

/** The header that names a request, in and out. */
export const requestIdHeader = "x-request-id";

const VALID = /^[\w.:-]{1,128}$/;

/**
 * Gives the request a name that whoever answers it finds in its headers, and the caller in the response's. A caller's own
 * is kept if it is up to 128 letters, digits or `_.:-`.
 */
export function nameRequest(request: NodeRequest, response: NodeResponse, world: Pick<World, "newId">): string {
  const id = nameHeaders(request.headers, world);
  response.setHeader(requestIdHeader, id);
  return id;
}

/** The same where the response is somebody else's: only its headers are given the name. */
export function nameHeaders(headers: IncomingHttpHeaders, world: Pick<World, "newId">): string {
  const given = headers[requestIdHeader];
  const id = typeof given === "string" && VALID.test(given) ? given : world.newId("req");
  headers[requestIdHeader] = id;
  return id;
}
