import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  createEndStreamSerialization,
  endStreamFlag,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { type Body, ENVELOPE_BYTES, EnvelopedBody, PlainBody } from "./body.ts";
import { type Codec, compressed, type Compressions, enveloped } from "./codec.ts";
import type { ShortPathSettings } from "./settings.ts";
import type { ShortCall } from "./short-call.ts";
import { headOf, type Wire } from "./wire.ts";

/** Connect's calls without streams: a message is a body, an error is JSON, trailers are headers with a prefix. */
export class ConnectUnaryWire implements Wire {
  readonly protocolName = "connect";
  readonly firstHeader: Wire["firstHeader"];
  readonly firstTrailer = {};
  readonly #codec: Codec;
  readonly #compressions: Compressions;
  readonly #settings: ShortPathSettings;

  constructor(codec: Codec, contentType: string, compressions: Compressions, settings: ShortPathSettings) {
    this.firstHeader = { "content-type": contentType };
    this.#codec = codec;
    this.#compressions = compressions;
    this.#settings = settings;
  }

  body({ exchange }: ShortCall): Body {
    return new PlainBody(this.#settings.readMaxBytes, exchange.headers["content-length"]);
  }

  parse(bytes: Uint8Array): Message | Promise<Message> {
    return this.#codec.parse(bytes, this.#compressions.request);
  }

  answer(call: ShortCall, message: Message): void | Promise<void> {
    return this.#send(call, 200, this.#codec.serialize(message));
  }

  refuse(call: ShortCall, error: ConnectError): void | Promise<void> {
    call.responseHeader.set("content-type", contentTypeUnaryJson);
    if (!error.isWireError) mergeNonProtocolHeaders(call.responseHeader, error.metadata);
    return this.#send(call, codeToHttpStatus(error.code), errorToJsonBytes(error, this.#settings.jsonOptions));
  }

  begin(): never {
    throw new Error("A call without streams begins none.");
  }

  frame(): never {
    throw new Error("A call without streams has no frames.");
  }

  finish(): never {
    throw new Error("A call without streams finishes none.");
  }

  #send(call: ShortCall, status: number, bytes: Uint8Array): void | Promise<void> {
    const { response } = this.#compressions;
    if (response === null || bytes.length < this.#settings.compressMinBytes) {
      this.#sendAs(call, status, bytes, null);
      return;
    }
    return response.compress(bytes).then((small) => this.#sendAs(call, status, small, response.name));
  }

  #sendAs(call: ShortCall, status: number, bytes: Uint8Array, encoding: string | null): void {
    const head = headOf(call, status, this);
    if (encoding !== null) head.push("content-encoding", encoding);
    call.touchedTrailer?.forEach((value, name) => head.push(`trailer-${name}`, value));
    head.push("content-length", String(bytes.length));
    call.exchange.send(head, bytes, null);
  }
}

/** Connect's streams: messages in envelopes, the outcome in a last one of JSON. */
export class ConnectStreamWire implements Wire {
  readonly protocolName = "connect";
  readonly firstHeader: Wire["firstHeader"];
  readonly firstTrailer = {};
  readonly #codec: Codec;
  readonly #compressions: Compressions;
  readonly #settings: ShortPathSettings;
  readonly #end: ReturnType<typeof createEndStreamSerialization>;

  constructor(codec: Codec, contentType: string, compressions: Compressions, settings: ShortPathSettings) {
    const { response } = compressions;
    this.firstHeader = { "content-type": contentType, ...(response && { "connect-content-encoding": response.name }) };
    this.#codec = codec;
    this.#compressions = compressions;
    this.#settings = settings;
    this.#end = createEndStreamSerialization(settings.jsonOptions);
  }

  body(): Body {
    return new EnvelopedBody(this.#settings.readMaxBytes);
  }

  parse(bytes: Uint8Array): Message | Promise<Message> {
    return this.#codec.parseEnveloped(bytes, this.#compressions.request, true);
  }

  answer(): never {
    throw new Error("A stream has more than one message.");
  }

  refuse(call: ShortCall, error: ConnectError): void | Promise<void> {
    this.begin(call);
    return this.finish(call, error);
  }

  begin(call: ShortCall): void {
    call.exchange.begin(headOf(call, 200, this), { withTrailers: false });
  }

  frame(message: Message): Uint8Array | Promise<Uint8Array> {
    return this.#codec.sharedFrame(message, this.#compressions.response);
  }

  async finish(call: ShortCall, error: ConnectError | null): Promise<void> {
    const end = { metadata: call.responseTrailer, ...(error === null ? {} : { error }) };
    const frame = enveloped(endStreamFlag, this.#end.serialize(end));
    const { response } = this.#compressions;
    const isLarge = frame.length - ENVELOPE_BYTES >= this.#settings.compressMinBytes;
    call.exchange.write(response !== null && isLarge ? await compressed(frame, response) : frame);
    call.exchange.finish(null);
  }
}
