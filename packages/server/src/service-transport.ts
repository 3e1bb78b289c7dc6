// Calling another of our services
//
// The Connect protocol over h2c, which costs half of what gRPC does where both ends are Connect. The connection is pinged
// so that a peer that froze is noticed also while a watch is silent. What goes wrong arrives as an UpstreamError: never
// as the other service's own error, which is not ours to show.
import { type CallOptions, ConnectError, type Transport } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { bearer, tellLostConnection } from "@helix-zed/client";
import { principalOf, type Actor } from "@helix-zed/domain";
import { organizationIdHeader, userIdHeader } from "./authenticate.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Where the other service is, and who we are to it. */
export interface ServiceTransportOptions {
  /** Its name, for errors: `task-service`. */
  readonly upstream: string;
  readonly baseUrl: string;
  readonly token: string;
  /** Time between two pings; 25 s unless told otherwise. */
  readonly pingIntervalMs?: number;
  /** Deadline of calls that set none; watches must set `timeoutMs: 0`. Without it: none. */
  readonly defaultTimeoutMs?: number;
}

/** A transport for `createClient`. All its failures are {@link UpstreamError}s. */
export function createServiceTransport(options: ServiceTransportOptions): Transport {
  const { upstream, baseUrl, token, pingIntervalMs = 25_000, defaultTimeoutMs } = options;
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "2",
    pingIntervalMs,
    pingTimeoutMs: 5_000,
    interceptors: [bearer(token), tellLostConnection],
    sendCompression: compressionGzip,
    acceptCompression: [compressionGzip],
    compressMinBytes: 8 * 1024,
    ...(defaultTimeoutMs === undefined ? {} : { defaultTimeoutMs }),
  });
  return convertErrors(transport, upstream);
}

/** Options of a call that is made for the actor: the user that is behind it, if there is one. */
export function actingFor(actor: Actor): CallOptions {
  const principal = principalOf(actor);
  if (principal === null) return {};
  const { userId, organizationId } = principal;
  return { headers: { [userIdHeader]: userId, ...(organizationId && { [organizationIdHeader]: organizationId }) } };
}

// Around the transport, not an interceptor of it: Connect wraps what interceptors throw.
function convertErrors(transport: Transport, upstream: string): Transport {
  const fail = (error: unknown): never => {
    throw new UpstreamError(upstream, ConnectError.from(error));
  };
  return {
    unary: (...call) => transport.unary(...call).catch(fail),
    stream: async (...call) => {
      const response = await transport.stream(...call).catch(fail);
      return { ...response, message: convertStream(response.message, fail) };
    },
  };
}

async function* convertStream<T>(messages: AsyncIterable<T>, fail: (error: unknown) => never): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    fail(error);
  }
}
