/**
 * Spells a text for the trailer `grpc-message`: percent-encoded where it is not printable ASCII, or a percent sign.
 * Connect encodes more than that (`:` becomes `%3A`), which the most used client for Node does not turn back.
 */
export function encodeGrpcMessage(message: string): string {
  return message.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}

/** The trailers of a response with the message in them spelt anew. */
export function respellTrailers(trailers: Headers): Headers {
  const message = trailers.get("grpc-message");
  if (message === null) return trailers;
  const respelled = new Headers(trailers);
  respelled.set("grpc-message", encodeGrpcMessage(decodeURIComponent(message)));
  return respelled;
}
