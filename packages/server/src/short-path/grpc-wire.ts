import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { respellTrailers } from "../grpc-message.ts";
import { type Body, EnvelopedBody } from "./body.ts";
import type { Codec, Compressions } from "./codec.ts";
import type { Trailers } from "./exchange.ts";
import type { ShortPathSettings } from "./settings.ts";
import type { ShortCall } from "./short-call.ts";
import { headOf, type Wire } from "./wire.ts";

const OK: Trailers = { "grpc-status": "0" };

/** gRPC: messages in envelopes, the outcome in the trailers. */
export class GrpcWire implements Wire {
  readonly protocolName = "grpc";
  readonly firstHeader: Wire["firstHeader"];
  readonly firstTrailer = OK;
  readonly #codec: Codec;
  readonly #compressions: Compressions;
  readonly #settings: ShortPathSettings;

  constructor(codec: Codec, contentType: string, compressions: Compressions, settings: ShortPathSettings) {
    const { response } = compressions;
    this.firstHeader = { "content-type": contentType, ...(response && { "grpc-encoding": response.name }) };
    this.#codec = codec;
    this.#compressions = compressions;
    this.#settings = settings;
  }

  body(): Body {
    return new EnvelopedBody(this.#settings.readMaxBytes);
  }

  parse(bytes: Uint8Array): Message | Promise<Message> {
    return this.#codec.parseEnveloped(bytes, this.#compressions.request, false);
  }

  answer(call: ShortCall, message: Message): void | Promise<void> {
    const frame = this.#codec.frame(message, this.#compressions.response);
    const send = (bytes: Uint8Array): void => call.exchange.send(headOf(call, 200, this), bytes, trailersOf(call));
    return frame instanceof Promise ? frame.then(send) : send(frame);
  }

  refuse(call: ShortCall, error: ConnectError): void {
    call.exchange.send(headOf(call, 200, this), null, trailersFor(call, error));
  }

  begin(call: ShortCall): void {
    call.exchange.begin(headOf(call, 200, this), { withTrailers: true });
  }

  frame(message: Message): Uint8Array | Promise<Uint8Array> {
    return this.#codec.sharedFrame(message, this.#compressions.response);
  }

  finish(call: ShortCall, error: ConnectError | null): void {
    call.exchange.finish(error === null ? trailersOf(call) : trailersFor(call, error));
  }
}

function trailersOf({ touchedTrailer }: ShortCall): Trailers {
  return touchedTrailer === undefined ? OK : Object.fromEntries(touchedTrailer);
}

function trailersFor(call: ShortCall, error: ConnectError): Trailers {
  return Object.fromEntries(respellTrailers(setTrailerStatus(call.responseTrailer, error)));
}
