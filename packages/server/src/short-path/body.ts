import { Code, ConnectError } from "@connectrpc/connect";

/** Flags and length in front of each message of gRPC, and of Connect's streams. */
export const ENVELOPE_BYTES = 5;

/** What may follow the message that is expected: the end of Connect's streams, say. */
const SURPLUS_BYTES_MAX = 64 * 1_024;

/** The body of a request while it comes in; refuses what is too large before it is there. */
export interface Body {
  /** Throws if it is more than may come. */
  push(chunk: Buffer): void;
  /** All of it. */
  whole(): Uint8Array;
}

/** A body that is one message. */
export class PlainBody implements Body {
  readonly #bytesMax: number;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #length = 0;

  constructor(bytesMax: number, declaredBytes: string | undefined) {
    this.#bytesMax = bytesMax;
    const declared = Number(declaredBytes);
    if (declared > bytesMax) throw tooLarge(`message size ${declared} is`, bytesMax);
  }

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#bytesMax) throw tooLarge("message size is", this.#bytesMax);
    if (this.#first === undefined) this.#first = chunk;
    else (this.#rest ??= [this.#first]).push(chunk);
  }

  whole(): Uint8Array {
    const bytes = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest);
    if (bytes === undefined) return new Uint8Array(0);
    // Not a Buffer, whose slices are Buffers too: messages hold slices of it.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** A body that is one message in an envelope. */
export class EnvelopedBody extends PlainBody {
  readonly #messageBytesMax: number;
  #isAdmitted = false;

  constructor(bytesMax: number) {
    super(bytesMax + ENVELOPE_BYTES + SURPLUS_BYTES_MAX, undefined);
    this.#messageBytesMax = bytesMax;
  }

  override push(chunk: Buffer): void {
    super.push(chunk);
    if (this.#isAdmitted) return;
    const bytes = this.whole();
    if (bytes.length < ENVELOPE_BYTES) return;
    this.#isAdmitted = true;
    assertMessageBytes(lengthAt(bytes, 0), this.#messageBytesMax);
  }
}

/** The length that an envelope at this place names. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  // Shifted in the end without a sign: lengths go up to 2^32 - 1.
  return (
    (((bytes[at + 1] ?? 0) << 24) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 8) |
      (bytes[at + 4] ?? 0)) >>>
    0
  );
}

/** Refuses a message of so many bytes if that is too many. */
export function assertMessageBytes(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw tooLarge(`message size ${bytes} is`, bytesMax);
}

// In the words of Connect, which serves the calls that are not served here.
function tooLarge(what: string, bytesMax: number): ConnectError {
  return new ConnectError(`${what} larger than configured readMaxBytes ${bytesMax}`, Code.ResourceExhausted);
}
