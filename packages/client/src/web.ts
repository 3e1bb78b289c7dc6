import { createConnectTransport } from "@connectrpc/connect-web";
import { type Client, type ClientOptions, clientOver, interceptorsOf } from "./client.ts";

const UNARY_TIMEOUT_MS = 30_000;

/** A client for browsers: the Connect protocol over `fetch`. */
export function createClient(options: ClientOptions): Client {
  const transport = createConnectTransport({
    baseUrl: options.baseUrl,
    useBinaryFormat: true,
    defaultTimeoutMs: UNARY_TIMEOUT_MS,
    interceptors: interceptorsOf(options),
  });
  return clientOver(transport);
}
