import { createConnectTransport } from "@connectrpc/connect-node";
import { type Client, type ClientOptions, clientOver, interceptorsOf } from "./client.ts";

const UNARY_TIMEOUT_MS = 30_000;

/** A client for Node: the Connect protocol over HTTP/2, on one connection that is kept alive. */
export function createClient(options: ClientOptions): Client {
  const transport = createConnectTransport({
    baseUrl: options.baseUrl,
    httpVersion: "2",
    pingIntervalMs: 25_000,
    pingTimeoutMs: 5_000,
    defaultTimeoutMs: UNARY_TIMEOUT_MS,
    interceptors: interceptorsOf(options),
  });
  return clientOver(transport);
}
