import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag, type Compression, createMethodSerializationLookup } from "@connectrpc/connect/protocol";
import { endStreamFlag } from "@connectrpc/connect/protocol-connect";
import { assertMessageBytes, ENVELOPE_BYTES, lengthAt } from "./body.ts";
import { missingMessage, surplusMessage } from "./invoke.ts";
import type { ShortPathSettings } from "./settings.ts";

/** The compressions that were agreed upon for a call. */
export interface Compressions {
  readonly request: Compression | null;
  readonly response: Compression | null;
}

/** Turns the messages of one method into bytes and back, as Protobuf or as JSON. */
export class Codec {
  readonly #settings: ShortPathSettings;
  readonly #kind: string;
  readonly #parse: (bytes: Uint8Array) => Message;
  readonly #serialize: (message: Message) => Uint8Array<ArrayBuffer>;
  /** Envelopes of messages that are still held by somebody: watchers of one thing are sent the same message. */
  readonly #frames = new WeakMap<Message, Uint8Array>();
  readonly #compressed = new WeakMap<Message, Promise<Uint8Array>>();

  constructor(method: DescMethod, isBinary: boolean, settings: ShortPathSettings) {
    const { binaryOptions, jsonOptions } = settings;
    const serialization = createMethodSerializationLookup(method, binaryOptions, jsonOptions, settings);
    const input = serialization.getI(isBinary);
    const output = serialization.getO(isBinary);
    this.#settings = settings;
    this.#kind = method.methodKind === "unary" ? "unary" : "server-streaming";
    this.#parse = (bytes) => input.parse(bytes);
    this.#serialize = (message) => output.serialize(message);
  }

  /** The message of a body that is nothing else. */
  parse(bytes: Uint8Array, compression: Compression | null): Message | Promise<Message> {
    if (compression === null) return this.#parse(bytes);
    return compression.decompress(bytes, this.#settings.readMaxBytes).then(this.#parse);
  }

  /** The message of a body that is one envelope. */
  parseEnveloped(bytes: Uint8Array, compression: Compression | null, hasEnd: boolean): Message | Promise<Message> {
    const isWhole = bytes.length >= ENVELOPE_BYTES && lengthAt(bytes, 0) === bytes.length - ENVELOPE_BYTES;
    if (isWhole && bytes[0] === 0) return this.#parse(bytes.subarray(ENVELOPE_BYTES));
    return this.#parseEnvelopes(bytes, compression, hasEnd);
  }

  serialize(message: Message): Uint8Array {
    return this.#serialize(message);
  }

  /** A message in its envelope, compressed if that is worth it. */
  frame(message: Message, compression: Compression | null): Uint8Array | Promise<Uint8Array> {
    const frame = enveloped(0, this.#serialize(message));
    return compression !== null && this.#isLarge(frame) ? compressed(frame, compression) : frame;
  }

  /** The same; made once for all that are sent this very message, which nobody may change any more. */
  sharedFrame(message: Message, compression: Compression | null): Uint8Array | Promise<Uint8Array> {
    const frame = this.#frames.get(message) ?? this.#kept(message);
    this.#frames.set(message, frame);
    if (compression === null || !this.#isLarge(frame)) return frame;
    const small = this.#compressed.get(message) ?? compressed(frame, compression);
    this.#compressed.set(message, small);
    return small;
  }

  // Not a piece of a larger buffer, which would be kept with it.
  #kept(message: Message): Uint8Array {
    return new Uint8Array(enveloped(0, this.#serialize(message)));
  }

  #isLarge(frame: Uint8Array): boolean {
    return frame.length - ENVELOPE_BYTES >= this.#settings.compressMinBytes;
  }

  // What comes seldom: none, several, one that is compressed, or one with the end of its stream behind it.
  async #parseEnvelopes(bytes: Uint8Array, compression: Compression | null, hasEnd: boolean): Promise<Message> {
    let found: Message | undefined;
    for (let at = 0; at < bytes.length;) {
      const from = at + ENVELOPE_BYTES;
      const length = lengthAt(bytes, at);
      if (from <= bytes.length) assertMessageBytes(length, this.#settings.readMaxBytes);
      if (from + length > bytes.length) throw incomplete();
      const flags = bytes[at] ?? 0;
      at = from + length;
      if (hasEnd && (flags & endStreamFlag) !== 0) continue;
      const isCompressed = (flags & compressedFlag) !== 0;
      if (isCompressed && compression === null) throw undecodable();
      const message = await this.parse(bytes.subarray(from, at), isCompressed ? compression : null);
      if (found !== undefined) throw surplusMessage(this.#kind);
      found = message;
    }
    if (found === undefined) throw missingMessage(this.#kind);
    return found;
  }
}

/** Flags, length, bytes. */
export function enveloped(flags: number, bytes: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(ENVELOPE_BYTES + bytes.length);
  frame[0] = flags;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, ENVELOPE_BYTES);
  return frame;
}

/** The same envelope with its content compressed. */
export async function compressed(frame: Uint8Array, compression: Compression): Promise<Uint8Array> {
  const small = await compression.compress(frame.subarray(ENVELOPE_BYTES));
  return enveloped((frame[0] ?? 0) | compressedFlag, small);
}

function incomplete(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}

function undecodable(): ConnectError {
  return new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
}
