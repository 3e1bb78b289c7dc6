import type { IncomingHttpHeaders } from "node:http";
import type { OutgoingHttpHeaders } from "node:http2";

// RFC 9110, section 7.6.1: these belong to one connection. "host" and "te" are said anew on the next one.
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The headers of a request that go on to a service over HTTP/2. */
export function toUpstream(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return { ...endToEnd(headers), ...(headers["te"] === undefined ? {} : { te: "trailers" }) };
}

/** The headers of a service's response, or its trailers, that go back to the caller. */
export function toCaller(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return endToEnd(headers);
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || hopByHop.has(name) || named.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}
