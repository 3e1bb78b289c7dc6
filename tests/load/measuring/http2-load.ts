// HTTP/2 load
//
// A client costs more than the server that it measures, unless it does almost nothing. This one sends frames that were
// made once, with the number of the stream filled in, and looks at no more of an answer than where it ends and how many
// bytes it carries. Headers are sent as literals that no table remembers, so that they are the same bytes each time; those
// of the answer are not decoded. So a client process is busy for a fraction of the time that any server needs, and what a
// server costs shows when it has more to do than it can.

import { once } from "node:events";
import * as net from "node:net";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD_BYTES = 9;
const WINDOW_BYTES = 2 ** 31 - 1;
const FIRST_WINDOW_BYTES = 65_535;
/** Given back to the server when so much of its window is used. */
const WINDOW_USED_BYTES = 2 ** 29;

const frames = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const CANCEL = 8;

/** What is sent for each call. */
export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Hears of all data that comes, stream by stream. */
  readonly onData?: (stream: number, data: Buffer) => void;
}

/** One connection that makes the same call again and again. */
export class Http2Load {
  readonly #socket: net.Socket;
  readonly #request: Buffer;
  readonly #dataAt: number;
  readonly #onData: LoadRequest["onData"];
  #nextStream = 1;
  #rest: Buffer = Buffer.alloc(0);
  #windowUsed = 0;
  #ended: () => void = () => {};
  /** Bytes of all bodies so far. */
  bytes = 0;
  /** Answers that are complete. */
  answers = 0;
  /** Why there will be no more of them. */
  failure: Error | null = null;

  private constructor(socket: net.Socket, { path, headers, body, onData }: LoadRequest, authority: string) {
    this.#socket = socket;
    this.#onData = onData;
    const pseudo = { ":method": "POST", ":scheme": "http", ":authority": authority, ":path": path };
    const head = frame(frames.headers, END_HEADERS, literals({ ...pseudo, ...headers }));
    this.#dataAt = head.length;
    this.#request = Buffer.concat([head, frame(frames.data, END_STREAM, body)]);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("close", () => this.#fail("The connection was closed."));
    socket.on("error", (error) => this.#fail(error.message));
  }

  /** Connects. */
  static async open(port: number, request: LoadRequest): Promise<Http2Load> {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const load = new Http2Load(socket, request, `127.0.0.1:${port}`);
    socket.write(PREFACE);
    // INITIAL_WINDOW_SIZE: no stream ever waits for this client.
    socket.write(frame(frames.settings, 0, pack([2, 4], [4, WINDOW_BYTES])));
    socket.write(frame(frames.windowUpdate, 0, pack([4, WINDOW_BYTES - FIRST_WINDOW_BYTES])));
    return load;
  }

  /** Begins a call on a stream of its own, and gives its number. */
  call(): number {
    const stream = this.#nextStream;
    this.#request.writeUInt32BE(this.#nextStream, 5);
    this.#request.writeUInt32BE(this.#nextStream, this.#dataAt + 5);
    this.#nextStream += 2;
    this.#socket.write(Buffer.from(this.#request));
    return stream;
  }

  /** Gives a call up. */
  cancel(stream: number): void {
    const reset = frame(frames.reset, 0, pack([4, CANCEL]));
    reset.writeUInt32BE(stream, 5);
    this.#socket.write(reset);
  }

  /** Makes so many calls, some of them at a time; resolves when all are answered. */
  async run({ calls, concurrency }: { readonly calls: number; readonly concurrency: number }): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      let toBegin = calls;
      let toEnd = calls;
      const begin = (): void => {
        if (toBegin-- > 0) this.call();
      };
      this.#ended = () => {
        begin();
        if (--toEnd === 0 || this.failure !== null) resolve();
      };
      this.#socket.cork();
      for (let count = 0; count < concurrency; count++) begin();
      this.#socket.uncork();
    });
    await answered;
    if (this.failure !== null) throw this.failure;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    this.#socket.cork();
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < HEAD_BYTES + length) break;
      this.#take(bytes.subarray(at, at + HEAD_BYTES), bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length));
      at += HEAD_BYTES + length;
    }
    this.#socket.uncork();
    this.#rest = bytes.subarray(at);
  }

  #take(head: Buffer, payload: Buffer): void {
    const [type = 0, flags = 0] = head.subarray(3, 5);
    switch (type) {
      case frames.data:
        this.bytes += payload.length;
        this.#giveBack(payload.length);
        this.#onData?.(head.readUInt32BE(5), payload);
        break;
      case frames.settings:
        if ((flags & ACK) === 0) this.#socket.write(frame(frames.settings, ACK, Buffer.alloc(0)));
        return;
      case frames.ping:
        if ((flags & ACK) === 0) this.#socket.write(frame(frames.ping, ACK, payload));
        return;
      case frames.reset:
      case frames.goAway:
        this.#fail(`The server sent ${type === frames.reset ? "RST_STREAM" : "GOAWAY"}.`);
        return;
      case frames.headers:
        break;
      default:
        return;
    }
    if ((flags & END_STREAM) === 0) return;
    this.answers++;
    this.#ended();
  }

  #giveBack(bytes: number): void {
    this.#windowUsed += bytes;
    if (this.#windowUsed < WINDOW_USED_BYTES) return;
    this.#socket.write(frame(frames.windowUpdate, 0, pack([4, this.#windowUsed])));
    this.#windowUsed = 0;
  }

  #fail(why: string): void {
    this.failure ??= new Error(why);
    this.#ended();
  }
}

function frame(type: number, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

/** Whole numbers of so many bytes each. */
function pack(...numbers: readonly (readonly [bytes: number, value: number])[]): Buffer {
  return Buffer.concat(
    numbers.map(([bytes, value]) => {
      const packed = Buffer.alloc(bytes);
      packed.writeUIntBE(value, 0, bytes);
      return packed;
    }),
  );
}

/** A header block (HPACK) of literals without indexing. */
function literals(headers: Readonly<Record<string, string>>): Buffer {
  const fields = Object.entries(headers).map(([name, value]) => [Buffer.of(0), text(name), text(value)]);
  return Buffer.concat(fields.flat());
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([lengthOf(bytes), bytes]);
}

/** A number of seven bits; what is beyond follows in groups of seven, the lowest first. */
function lengthOf({ length }: Buffer): Buffer {
  if (length < 127) return Buffer.of(length);
  const groups = [127];
  let left = length - 127;
  for (; left > 127; left >>= 7) groups.push((left & 127) | 128);
  return Buffer.from([...groups, left]);
}
