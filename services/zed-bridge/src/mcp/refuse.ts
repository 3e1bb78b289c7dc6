import type { NodeResponse } from "@helix-zed/server";

/** Why a request gets no further. */
export type RefusalOfRequest =
  | "method"
  | "origin"
  | "stopping"
  | "no-token"
  | "bad-token"
  | "too-many"
  | "too-large"
  | "too-slow"
  | "broken"
  | "no-json";

interface Said {
  readonly status: number;
  /** As JSON-RPC numbers it. */
  readonly code: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const CHALLENGE = 'Bearer realm="helix-zed"';

const said: Readonly<Record<RefusalOfRequest, Said>> = {
  method: { status: 405, code: -32000, message: "Send requests with POST.", headers: { allow: "POST" } },
  origin: { status: 403, code: -32000, message: "Web pages of other origins may not call this." },
  stopping: { status: 503, code: -32000, message: "The server is stopping.", headers: { "retry-after": "1" } },
  "no-token": {
    status: 401,
    code: -32001,
    message: "This needs the token that the agent was given: Authorization: Bearer TOKEN.",
    headers: { "www-authenticate": CHALLENGE },
  },
  "bad-token": {
    status: 401,
    code: -32001,
    message: "The token is not good, or not any more: its work session has ended.",
    headers: { "www-authenticate": `${CHALLENGE}, error="invalid_token"` },
  },
  "too-many": { status: 429, code: -32000, message: "These are too many requests." },
  "too-large": { status: 413, code: -32000, message: "The request is too large." },
  "too-slow": { status: 408, code: -32000, message: "The request came too slowly." },
  broken: { status: 400, code: -32700, message: "The request broke off." },
  "no-json": { status: 400, code: -32700, message: "The request is not valid JSON." },
};

/** Answers a request that is not looked at any further. What was not read of it is not read any more. */
export function refuse(response: NodeResponse, why: RefusalOfRequest, retryAfterMs = 0): void {
  const { status, code, message, headers = {} } = said[why];
  const retry = retryAfterMs > 0 ? { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) } : {};
  response.writeHead(status, { "content-type": "application/json", ...headers, ...retry });
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }));
}
