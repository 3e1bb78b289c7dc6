// Passing RPCs through
//
// The bytes of a call go to its service and back as they are; what they mean is between the two ends. So every protocol
// that the services speak works here, with its compression and its errors, and a message costs no decoding.
//
//   caller ──body──▶ request stream ──▶ service
//   caller ◀─headers, body, trailers── response stream ◀── service
//
// Each direction is as fast as its slower end. When the caller goes away the service's stream is reset with CANCEL. When
// the service goes away, or this process is told to stop, the caller hears UNAVAILABLE in its own protocol if its
// response can still carry that, and is cut otherwise.
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { constants } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import type { NodeRequest, NodeResponse } from "@helix-zed/server";
import { gatewayDraining, upstreamUnavailable } from "./edge-error.ts";
import { EnvelopeTracker } from "./envelope-tracker.ts";
import { toCaller, toUpstream } from "./proxy-headers.ts";
import { protocolOf, type RpcProtocol } from "./rpc-protocol.ts";
import type { Upstream } from "./upstream.ts";

/** One RPC on its way through. */
export interface RpcExchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly upstream: Upstream;
}

/** Passes RPCs through to their services. */
export class RpcProxy {
  readonly #open = new Set<PassedCall>();
  #draining = false;

  /** Passes a call through; `streaming` calls end when the proxy drains, others may finish. */
  pass(exchange: RpcExchange, { streaming }: { readonly streaming: boolean }): void {
    const call = new PassedCall(exchange);
    if (streaming) this.#open.add(call);
    exchange.response.once("close", () => this.#open.delete(call));
    void call.run();
    if (streaming && this.#draining) call.fail(gatewayDraining());
  }

  /** Ends all streaming calls with UNAVAILABLE, now and from now on. */
  drain(): void {
    this.#draining = true;
    for (const call of this.#open) call.fail(gatewayDraining());
  }
}

class PassedCall {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #upstream: Upstream;
  readonly #protocol: RpcProtocol;
  readonly #envelopes = new EnvelopeTracker();
  #stream: ClientHttp2Stream | undefined;
  #trailers: Record<string, string | string[]> = {};
  #over = false;

  constructor({ request, response, upstream }: RpcExchange) {
    this.#request = request;
    this.#response = response;
    this.#upstream = upstream;
    this.#protocol = protocolOf(request);
  }

  async run(): Promise<void> {
    const { method = "POST", url = "/", headers } = this.#request;
    this.#response.once("close", () => this.#callerGone());
    // The caller's side ends with the close of its response; its errors say nothing more.
    this.#request.on("error", () => {});
    try {
      this.#connect(await this.#upstream.open(method, url, toUpstream(headers)));
    } catch {
      this.fail(upstreamUnavailable(this.#upstream.name));
    }
  }

  /** Ends the call with an error, if it has not ended yet. */
  fail(error: ConnectError): void {
    if (this.#over) return;
    this.#finish();
    const { endWith } = this.#protocol;
    if (!this.#response.headersSent) {
      this.#protocol.refuse(this.#response, this.#request.headers["content-type"] ?? "", error);
    } else if (endWith !== undefined && this.#envelopes.isBetweenMessages) {
      endWith(this.#response, error);
    } else {
      cut(this.#response);
    }
  }

  #connect(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    if (this.#over) {
      this.#reset();
      return;
    }
    stream.on("response", (headers) => this.#begin(headers));
    stream.on("trailers", (trailers) => (this.#trailers = toCaller(trailers)));
    stream.on("data", (chunk: Uint8Array) => this.#forward(stream, chunk));
    stream.on("end", () => this.#end(stream));
    // An error is followed by the close.
    stream.on("error", () => {});
    stream.on("close", () => this.fail(upstreamUnavailable(this.#upstream.name)));
    this.#request.pipe(stream);
  }

  #begin(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    if (this.#over) return;
    this.#response.writeHead(headers[":status"] ?? 502, toCaller(headers));
    // HTTP/2 sends headers at once, HTTP/1.1 with the first bytes of the body.
    if ("flushHeaders" in this.#response) this.#response.flushHeaders();
  }

  #forward(stream: ClientHttp2Stream, chunk: Uint8Array): void {
    if (this.#over) return;
    this.#upstream.noteRead(stream);
    if (this.#protocol.endWith !== undefined) this.#envelopes.push(chunk);
    if (this.#response.write(chunk)) return;
    stream.pause();
    this.#response.once("drain", () => stream.resume());
  }

  #end(stream: ClientHttp2Stream): void {
    // A connection that is closed ends its streams too, in the middle and with a reset; the close of the stream tells.
    if (this.#over || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#over = true;
    this.#response.addTrailers(this.#trailers);
    this.#response.end();
  }

  #callerGone(): void {
    if (!this.#over) this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#reset();
  }

  #reset(): void {
    if (this.#stream === undefined) return;
    this.#request.unpipe(this.#stream);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/** Breaks a response off so that nobody takes it for complete. */
function cut(response: NodeResponse): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
