// The short path
//
//   request ─▶ is it a call that is served here? ─no─▶ Connect's own handlers
//                     │ yes
//                     ▼
//              gate ─▶ read ─▶ parse ─▶ interceptors ─▶ handler ─▶ frame ─▶ write
//                                                          ▲                  │
//                                                          └── next message ◀─┘  when the peer has taken this one
//
// Connect's handlers are written for every platform: a call becomes web Headers, a body becomes a chain of a dozen async
// generators, and each of them costs some microseconds. That is most of what a call costs (docs/performance.md). Nearly
// all calls are of a few kinds, for which it takes neither. Those are served here, with the same implementations behind
// the same interceptors, and say the same on the wire, to the byte; short-path.test.ts compares the two.
//
// *Served here:* calls with one message and server streams; gRPC over HTTP/2; Connect over HTTP/2 and HTTP/1.1; binary or
// JSON; gzip both ways. *Left to Connect:* gRPC-Web, GET, streams from the client, and whatever is wrong from the outset
// (an unknown encoding, a deadline that cannot be read, a host that is none), so that each refusal has one author. Nothing
// of a request is read before that is decided. Services that are routed with options of their own are left out too.
//
// *Context.* One object is the call, its handler's context, and what says when it is over (short-call.ts). Headers, the
// signal and the URL are made when they are asked for.
//
// *The end.* A call ends once: answered, refused, past its deadline, reset or cut off by its caller, or shut down. Those
// who asked are told at once, with the reason; the signal aborts with it if there is one. First the reason is told (the
// log's line is written, an error of Connect's is completed), then it is sent.
//
// *Order.* The gate comes before the body is read. A body that is too large is refused when its length is known, not when
// it is there. An answer that comes before the end of the request ends with a reset that says NO_ERROR, as RFC 9113 has
// it: the rest is not wanted.
//
// *Streams.* The head goes out at once: a caller knows that it is attached before there is anything to say. (A handler
// that sets headers does so before it first waits.) Then one message at a time: the handler is asked for the next one when
// this one has been written and the stream has room. A peer that reads slowly costs one window and one buffer, and its
// handler stands still; when it goes, or its time is up, the handler is told even then.
//
// *Sharing.* A handler that yields the same message object to many callers has it encoded once for all of them (codec.ts).
// So a message that was yielded must not be changed afterwards.
import { type IncomingHttpHeaders, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { World } from "@helix-zed/domain";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import type { Log } from "../log.ts";
import type { NodeRequest, NodeResponse } from "../node-handler.ts";
import { nameHeaders } from "../request-id.ts";
import { answerStream, answerUnary } from "./answer-call.ts";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import type { ShortSpec } from "./record-specs.ts";
import type { ShortPathSettings } from "./settings.ts";
import { type OpenCalls, ShortCall } from "./short-call.ts";
import { ShortMethod } from "./short-method.ts";
import type { Wire } from "./wire.ts";

/** What the short path needs besides what Connect's handlers are told. */
export interface ShortPathOptions {
  readonly specs: readonly ShortSpec[];
  readonly settings: ShortPathSettings;
  readonly log: Log;
  readonly world: Pick<World, "newId">;
}

/** A call that is served here. */
interface Admitted {
  readonly method: ShortMethod;
  readonly wire: Wire;
  readonly timeoutMs: number | undefined;
}

/** How many hosts are remembered by which callers call this server. */
const AUTHORITIES_MAX = 64;

/** Serves calls at little cost, and leaves all others alone. */
export class ShortPath {
  readonly #options: ShortPathOptions;
  readonly #methods: ReadonlyMap<string, ShortMethod>;
  readonly #open: OpenCalls = new Set();
  readonly #authorities = new Set<string>();

  constructor(options: ShortPathOptions) {
    const { specs, settings } = options;
    this.#options = options;
    this.#methods = new Map(specs.map((spec) => [pathOf(spec), new ShortMethod(spec, settings)]));
    const { shutdownSignal } = settings;
    shutdownSignal?.addEventListener("abort", () => {
      for (const call of this.#open) call.end(shutdownSignal.reason);
    });
  }

  /** Serves a request over HTTP/2, unless it is not for here. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const { ":method": verb, ":path": path, ":authority": authority = headers.host } = headers;
    const admitted = this.#admit(verb, path, authority, headers);
    if (admitted === null) return false;
    nameHeaders(headers, this.#options.world);
    this.#serve(admitted, new Http2Exchange(stream, headers));
    return true;
  }

  /** The same over HTTP/1.1; what came over HTTP/2 was decided upon before. */
  takeRequest(request: NodeRequest, response: NodeResponse): boolean {
    if (!(response instanceof ServerResponse) || "stream" in request) return false;
    const { method: verb, url, headers } = request;
    const admitted = this.#admit(verb, url, headers.host, headers);
    if (admitted === null || admitted.wire.protocolName === "grpc") return false;
    nameHeaders(headers, this.#options.world);
    this.#serve(admitted, new Http1Exchange(request, response));
    return true;
  }

  #admit(verb: unknown, path: unknown, authority: unknown, headers: IncomingHttpHeaders): Admitted | null {
    if (verb !== "POST" || typeof path !== "string" || headers.expect !== undefined) return null;
    const method = this.#methods.get(path);
    if (method === undefined || !this.#isHost(authority)) return null;
    const wire = method.wireFor(headers);
    if (wire === null) return null;
    const timeoutMs = this.#timeoutMs(wire, headers);
    return timeoutMs === null ? null : { method, wire, timeoutMs };
  }

  #isHost(authority: unknown): boolean {
    if (typeof authority !== "string") return false;
    if (this.#authorities.has(authority)) return true;
    if (!URL.canParse("/", `http://${authority}`)) return false;
    if (this.#authorities.size < AUTHORITIES_MAX) this.#authorities.add(authority);
    return true;
  }

  #timeoutMs({ protocolName }: Wire, headers: IncomingHttpHeaders): number | undefined | null {
    const text = headers[protocolName === "grpc" ? "grpc-timeout" : "connect-timeout-ms"];
    if (text === undefined) return undefined;
    const parse = protocolName === "grpc" ? parseGrpcTimeout : parseConnectTimeout;
    const { timeoutMs, error } = parse(String(text), this.#options.settings.maxTimeoutMs);
    return error === undefined ? timeoutMs : null;
  }

  #serve({ method, wire, timeoutMs }: Admitted, exchange: Exchange): void {
    const { settings, log } = this.#options;
    const { spec, invoke } = method;
    const call = new ShortCall(spec, wire, exchange, this.#open, timeoutMs);
    const answer = spec.kind === "unary" ? answerUnary : answerStream;
    answer(call, invoke, settings.requestGate).catch((error: unknown) => {
      log.warn({ err: error, method: spec.method.name }, "a response could not be written");
      exchange.destroy();
    });
  }
}

function pathOf({ method }: ShortSpec): string {
  return `/${method.parent.typeName}/${method.name}`;
}
