import { cors as connectCors } from "@connectrpc/connect";
import { requestIdHeader, type NodeRequest, type NodeResponse } from "@helix-zed/server";

const methods = [...new Set([...connectCors.allowedMethods, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])];
const preconditions = ["if-match", "if-none-match", "idempotency-key"];
const requestHeaders = [
  ...connectCors.allowedHeaders,
  "authorization",
  "last-event-id",
  ...preconditions,
  requestIdHeader,
];
const responseHeaders = [...connectCors.exposedHeaders, "etag", "retry-after", requestIdHeader];
const preflightSeconds = 7_200;

/**
 * Lets pages of the listed origins call the gateway; without a list only its own pages can. Tokens travel in a header and
 * never in a cookie, so credentials stay off.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Marks the response for the page that asks; answers preflights, and then returns true. */
  handle(request: NodeRequest, response: NodeResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined || !this.#origins.has(origin)) return false;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      response.setHeader("access-control-expose-headers", responseHeaders.join(", "));
      return false;
    }
    response.writeHead(204, {
      "access-control-allow-methods": methods.join(", "),
      "access-control-allow-headers": requestHeaders.join(", "),
      "access-control-max-age": String(preflightSeconds),
    });
    response.end();
    return true;
  }
}
