import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Call, Invoker } from "./invoker.ts";
import { RestError } from "./rest-error.ts";

/** How a transport is spoken of. */
export interface TransportOptions {
  /** The service at its other end, as callers may know it: in the message and the metadata of UPSTREAM_UNAVAILABLE. */
  readonly name?: string;
}

/** Turns what a call failed with into what its caller may know. */
type Explain = (error: unknown, call: Call) => unknown;

/**
 * Calls over a Connect transport: the service is another process.
 *
 * Errors that the service sent are passed on as they are. Errors that this end of the wire made (refused, reset, closed)
 * name sockets and addresses: they become UNAVAILABLE, reason UPSTREAM_UNAVAILABLE, with nothing of that in it.
 */
export function overTransport(transport: Transport, { name = "The service" }: TransportOptions = {}): Invoker {
  const explain = explainer(name);
  return {
    async unary(method, call) {
      const { timeoutMs, header, request } = call;
      const signal = cancelledBy(call.signal);
      return await explained({ call, explain }, () => transport.unary(method, signal, timeoutMs, header, request));
    },
    async serverStream(method, call) {
      const { timeoutMs, header, request } = call;
      const signal = cancelledBy(call.signal);
      const reply = await explained({ call, explain }, () =>
        transport.stream(method, signal, timeoutMs, header, once(request)),
      );
      return { header: reply.header, messages: explainedMessages({ call, explain }, reply.message) };
    },
  };
}

/** Whatever ends the call here, to the service it is cancelled: any other reason would be sent as a failure. */
function cancelledBy(signal: AbortSignal): AbortSignal {
  const call = new AbortController();
  const cancel = (): void => call.abort(new ConnectError("The call is not wanted any more.", Code.Canceled));
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  return call.signal;
}

async function* once(message: Message): AsyncIterable<Message> {
  yield message;
}

interface Explained {
  readonly call: Call;
  readonly explain: Explain;
}

async function explained<T>({ call, explain }: Explained, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explain(error, call);
  }
}

async function* explainedMessages(
  { call, explain }: Explained,
  messages: AsyncIterable<Message>,
): AsyncIterable<Message> {
  try {
    yield* messages;
  } catch (error) {
    throw explain(error, call);
  }
}

const retryDelayMs = 1_000;

function explainer(name: string): Explain {
  return (error, { signal }) => {
    if (!(error instanceof ConnectError) || error.isWireError) return error;
    if (signal.aborted) return signal.reason;
    if (error.code === Code.DeadlineExceeded) {
      return new RestError(Code.DeadlineExceeded, "DEADLINE_EXCEEDED", "The call took longer than its deadline.");
    }
    if (!isConnectionFailure(error)) return new Error(error.message, { cause: error });
    const details = { retryDelayMs, metadata: { upstream: name } };
    return new RestError(Code.Unavailable, "UPSTREAM_UNAVAILABLE", `${name} is out of reach. Try again.`, details);
  };
}

/** Did the connection fail, rather than what came over it? */
function isConnectionFailure(error: ConnectError): boolean {
  if (error.code === Code.Unavailable || error.code === Code.Canceled || error.code === Code.Aborted) return true;
  // A connection that was closed without an answer looks to Connect over HTTP/2 like an answer without headers.
  if (error.rawMessage === "unsupported content type null") return true;
  return error.rawMessage.startsWith("http/2 stream closed") || hasSystemCode(error.cause);
}

function hasSystemCode(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return ("code" in cause && typeof cause.code === "string") || hasSystemCode(cause.cause);
}
