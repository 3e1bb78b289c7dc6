import type { IncomingHttpHeaders } from "node:http";
import { compressionNegotiate } from "@connectrpc/connect/protocol";
import * as connect from "@connectrpc/connect/protocol-connect";
import * as grpc from "@connectrpc/connect/protocol-grpc";
import { Codec, type Compressions } from "./codec.ts";
import { ConnectStreamWire, ConnectUnaryWire } from "./connect-wire.ts";
import { GrpcWire } from "./grpc-wire.ts";
import { type Invoke, invocation } from "./invoke.ts";
import type { ShortSpec } from "./record-specs.ts";
import type { ShortPathSettings } from "./settings.ts";
import type { Wire } from "./wire.ts";

/** How many ways of speaking are remembered for a method. There are a handful; callers could make up more. */
const WIRES_MAX = 64;

/** A method that is served on the short path. */
export class ShortMethod {
  readonly spec: ShortSpec;
  readonly invoke: Invoke;
  readonly #settings: ShortPathSettings;
  readonly #codecs: Readonly<Record<"binary" | "json", Codec>>;
  readonly #wires = new Map<string, Wire | null>();
  /** How gRPC is spoken without compression, which is how it is spoken nearly always. */
  #plainGrpc: Wire | null | undefined;

  constructor(spec: ShortSpec, settings: ShortPathSettings) {
    this.spec = spec;
    this.invoke = invocation(spec, settings.interceptors);
    this.#settings = settings;
    this.#codecs = {
      binary: new Codec(spec.method, true, settings),
      json: new Codec(spec.method, false, settings),
    };
  }

  /** How the caller speaks; `null` if that is not served here, or not at all. */
  wireFor(headers: IncomingHttpHeaders): Wire | null {
    if (isPlainGrpc(headers)) return (this.#plainGrpc ??= this.#makeWire(headers));
    const key = keyOf(headers);
    const known = this.#wires.get(key);
    if (known !== undefined) return known;
    const wire = this.#makeWire(headers);
    if (this.#wires.size < WIRES_MAX) this.#wires.set(key, wire);
    return wire;
  }

  #makeWire(headers: IncomingHttpHeaders): Wire | null {
    const contentType = headers["content-type"] ?? "";
    if (contentType.startsWith("application/grpc")) return this.#grpcWire(contentType, headers);
    const type = connect.parseContentType(contentType);
    if (type === undefined || type.stream !== (this.spec.kind !== "unary")) return null;
    return type.stream ? this.#connectStreamWire(type.binary, headers) : this.#connectUnaryWire(type.binary, headers);
  }

  #grpcWire(contentType: string, headers: IncomingHttpHeaders): Wire | null {
    const type = grpc.parseContentType(contentType);
    const compressions = this.#negotiate(headers, grpc.headerEncoding, grpc.headerAcceptEncoding);
    if (type === undefined || compressions === null) return null;
    const answerType = type.binary ? grpc.contentTypeProto : grpc.contentTypeJson;
    return new GrpcWire(this.#codec(type.binary), answerType, compressions, this.#settings);
  }

  #connectUnaryWire(isBinary: boolean, headers: IncomingHttpHeaders): Wire | null {
    const { headerUnaryEncoding, headerUnaryAcceptEncoding } = connect;
    const compressions = this.#negotiate(headers, headerUnaryEncoding, headerUnaryAcceptEncoding);
    if (compressions === null) return null;
    const answerType = isBinary ? connect.contentTypeUnaryProto : connect.contentTypeUnaryJson;
    return new ConnectUnaryWire(this.#codec(isBinary), answerType, compressions, this.#settings);
  }

  #connectStreamWire(isBinary: boolean, headers: IncomingHttpHeaders): Wire | null {
    const { headerStreamEncoding, headerStreamAcceptEncoding } = connect;
    const compressions = this.#negotiate(headers, headerStreamEncoding, headerStreamAcceptEncoding);
    if (compressions === null) return null;
    const answerType = isBinary ? connect.contentTypeStreamProto : connect.contentTypeStreamJson;
    return new ConnectStreamWire(this.#codec(isBinary), answerType, compressions, this.#settings);
  }

  #codec(isBinary: boolean): Codec {
    return this.#codecs[isBinary ? "binary" : "json"];
  }

  #negotiate(headers: IncomingHttpHeaders, encoding: string, acceptEncoding: string): Compressions | null {
    const requested = textOf(headers, encoding);
    const accepted = textOf(headers, acceptEncoding);
    const { acceptCompression } = this.#settings;
    const { request, response, error } = compressionNegotiate(acceptCompression, requested, accepted, acceptEncoding);
    return error === undefined ? { request, response } : null;
  }
}

function isPlainGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  if (type !== "application/grpc" && type !== "application/grpc+proto") return false;
  const taken = headers["grpc-accept-encoding"];
  return headers["grpc-encoding"] === undefined && (taken === undefined || taken === "identity");
}

/** All headers on which the way of speaking depends. */
function keyOf(headers: IncomingHttpHeaders): string {
  const type = headers["content-type"];
  const unary = `${type}|${headers["content-encoding"]}|${String(headers["accept-encoding"])}`;
  const stream = `${String(headers["connect-content-encoding"])}|${String(headers["connect-accept-encoding"])}`;
  return `${unary}|${stream}|${String(headers["grpc-encoding"])}|${String(headers["grpc-accept-encoding"])}`;
}

function textOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return typeof value === "string" ? value : null;
}
