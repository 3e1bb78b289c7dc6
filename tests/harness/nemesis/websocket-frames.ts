// The bytes of one direction of a WebSocket connection, cut into what belongs together: first the head of the HTTP
// request or answer, then one frame after the other. Nothing is decoded, and every byte comes out once and in order.

const HEAD_END = Buffer.from("\r\n\r\n");

/** Finds the frames in a stream of bytes. */
export class WebSocketFrames {
  #rest: Buffer = Buffer.alloc(0);
  #headIsOver = false;

  /** Takes in some bytes and gives what is complete with them. */
  push(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const complete: Buffer[] = [];
    for (let length = this.#nextLength(); length !== null; length = this.#nextLength()) {
      complete.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
      this.#headIsOver = true;
    }
    return complete;
  }

  #nextLength(): number | null {
    const length = this.#headIsOver ? frameLength(this.#rest) : headLength(this.#rest);
    return length !== null && this.#rest.length >= length ? length : null;
  }
}

function headLength(bytes: Buffer): number | null {
  const end = bytes.indexOf(HEAD_END);
  return end === -1 ? null : end + HEAD_END.length;
}

/** RFC 6455, section 5.2: two bytes, then a longer length, then a mask, then the payload. */
function frameLength(bytes: Buffer): number | null {
  const [, second] = bytes;
  if (second === undefined) return null;
  const short = second & 0x7f;
  const mask = second & 0x80 ? 4 : 0;
  if (short < 126) return 2 + mask + short;
  const extended = short === 126 ? 2 : 8;
  if (bytes.length < 2 + extended) return null;
  const length = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return 2 + extended + mask + length;
}
