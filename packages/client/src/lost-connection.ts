import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/**
 * Calls a lost connection by its name, so that what may be tried again is. One that its peer closed without an answer
 * looks to Connect over HTTP/2 like an answer without headers (UNKNOWN, "unsupported content type null"), one that was
 * reset like a call that somebody ended (ABORTED or CANCELED with the error of a socket).
 */
export const tellLostConnection: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (!isLostConnection(error) || request.signal.aborted) throw error;
    throw new ConnectError("the connection was lost", Code.Unavailable, undefined, [], error);
  }
};

/** What a peer says came over the wire; a connection that is lost says nothing. */
function isLostConnection(error: unknown): boolean {
  if (!(error instanceof ConnectError) || error.isWireError) return false;
  if (error.rawMessage === "unsupported content type null") return true;
  return error.rawMessage.startsWith("http/2 stream closed") || hasSystemCode(error.cause);
}

function hasSystemCode(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return ("code" in cause && typeof cause.code === "string") || hasSystemCode(cause.cause);
}
