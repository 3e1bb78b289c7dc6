// Telling a caller of an RPC that it failed
//
// Nobody but the gateway knows that a service is out of reach, so it says so itself, in the words of the caller's own
// protocol. While nothing was sent, every protocol has a whole response for that. Once a response is under way, a stream
// can still be ended with an error if it stands between two messages; everything else can only be cut.
//
//   protocol         nothing sent yet                        between two messages of a stream
//   gRPC             headers with grpc-status                HTTP trailers with grpc-status
//   gRPC-Web         headers with grpc-status                an envelope of trailers
//   Connect stream   200 with an end-of-stream envelope      an end-of-stream envelope
//   Connect unary    HTTP status with a JSON error           (not a stream)
import type { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, endStreamFlag, endStreamToJson, errorToJson } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { NodeRequest, NodeResponse } from "@helix-zed/server";

/** The protocol that an RPC is spoken in. */
export interface RpcProtocol {
  readonly name: "grpc" | "grpc-web" | "connect-stream" | "connect-unary";
  /** Answers with the error; nothing was sent yet. */
  refuse(response: NodeResponse, contentType: string, error: ConnectError): void;
  /** Ends the response with the error, between two messages. */
  readonly endWith: ((response: NodeResponse, error: ConnectError) => void) | undefined;
}

const grpc: RpcProtocol = {
  name: "grpc",
  refuse: refuseInHeaders,
  endWith(response, error) {
    response.addTrailers(statusOf(error));
    response.end();
  },
};

const grpcWeb: RpcProtocol = {
  name: "grpc-web",
  refuse: refuseInHeaders,
  endWith(response, error) {
    response.end(encodeEnvelope(trailerFlag, trailerSerialize(setTrailerStatus(new Headers(), error))));
  },
};

const connectStream: RpcProtocol = {
  name: "connect-stream",
  refuse(response, contentType, error) {
    response.writeHead(200, { "content-type": contentType });
    response.end(endOfStream(error));
  },
  endWith(response, error) {
    response.end(endOfStream(error));
  },
};

const connectUnary: RpcProtocol = {
  name: "connect-unary",
  refuse(response, _contentType, error) {
    response.writeHead(codeToHttpStatus(error.code), { "content-type": "application/json" });
    response.end(JSON.stringify(errorToJson(error, undefined)));
  },
  endWith: undefined,
};

/** The protocol of a request, by its content type. */
export function protocolOf(request: NodeRequest): RpcProtocol {
  const contentType = request.headers["content-type"] ?? "";
  if (/^application\/grpc-web\b/i.test(contentType)) return grpcWeb;
  if (/^application\/grpc\b/i.test(contentType)) return grpc;
  return /^application\/connect\+/i.test(contentType) ? connectStream : connectUnary;
}

function refuseInHeaders(response: NodeResponse, contentType: string, error: ConnectError): void {
  // Set, not written: a gRPC client reads the status in headers only where they end the stream.
  response.setHeader("content-type", contentType);
  for (const [name, value] of Object.entries(statusOf(error))) response.setHeader(name, value);
  response.end();
}

function statusOf(error: ConnectError): Record<string, string> {
  return Object.fromEntries(setTrailerStatus(new Headers(), error));
}

function endOfStream(error: ConnectError): Uint8Array {
  return encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(endStreamToJson(new Headers(), error, undefined))));
}
