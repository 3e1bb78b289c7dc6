import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Body } from "./body.ts";
import type { Exchange, Head, Trailers } from "./exchange.ts";
import { closeReason } from "./close-reason.ts";

const WITH_TRAILERS = { waitForTrailers: true } as const;

/** A request and its answer on a stream of HTTP/2. */
export class Http2Exchange implements Exchange {
  headers: IncomingHttpHeaders;
  onGone: ((reason: unknown) => void) | undefined;
  readonly #stream: ServerHttp2Stream;
  #trailers: Trailers | null = null;
  #isAnswered = false;
  #onData: ((chunk: Buffer) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #stopReading: ((reason: unknown) => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.headers = headers;
    // What goes wrong with a stream closes it, which is when we hear of it.
    stream.on("error", ignore);
    stream.on("close", () => this.#closed());
  }

  get url(): string {
    const { ":authority": authority, host, ":path": path } = this.headers;
    return new URL(String(path), `http://${String(authority ?? host)}`).href;
  }

  get isClosed(): boolean {
    return this.#isAnswered || this.#stream.closed || this.#stream.destroyed;
  }

  read(body: Body): Promise<Uint8Array> {
    const stream = this.#stream;
    // A request without a body ends by itself, which may be before the gate has opened.
    if (stream.readableEnded) return Promise.resolve(body.whole());
    return new Promise((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        try {
          body.push(chunk);
        } catch (error) {
          stream.off("data", onData).pause();
          reject(error);
        }
      };
      const onEnd = (): void => {
        this.#stopReading = undefined;
        resolve(body.whole());
      };
      this.#stopReading = reject;
      this.#onData = onData;
      this.#onEnd = onEnd;
      stream.on("data", onData).on("end", onEnd);
    });
  }

  send(head: Head, body: Uint8Array | null, trailers: Trailers | null): void {
    if (this.isClosed) return;
    this.#respond(head, trailers !== null);
    this.#end(body, trailers);
  }

  begin(head: Head, { withTrailers }: { readonly withTrailers: boolean }): void {
    if (this.isClosed) return;
    this.#letGoOfRequest();
    this.#respond(head, withTrailers);
  }

  /** What was read is a piece of something much larger, and headers come as a hash table of five times their size. */
  #letGoOfRequest(): void {
    if (this.#onData !== undefined) this.#stream.off("data", this.#onData);
    if (this.#onEnd !== undefined) this.#stream.off("end", this.#onEnd);
    this.#onData = this.#onEnd = undefined;
    this.headers = { ...this.headers };
  }

  #respond(head: Head, withTrailers: boolean): void {
    if (!withTrailers) {
      this.#stream.respond(head);
      return;
    }
    this.#stream.on("wantTrailers", () => this.#sendTrailers());
    this.#stream.respond(head, WITH_TRAILERS);
  }

  write(bytes: Uint8Array): boolean {
    return this.isClosed || this.#stream.write(bytes);
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isClosed || !this.#stream.writableNeedDrain) {
        resolve();
        return;
      }
      this.#wake = resolve;
      this.#stream.once("drain", resolve);
    });
  }

  interrupt(reason: unknown): void {
    this.#stopReading?.(reason);
    this.#wake?.();
  }

  finish(trailers: Trailers | null): void {
    if (!this.isClosed) this.#end(null, trailers);
  }

  destroy(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #end(body: Uint8Array | null, trailers: Trailers | null): void {
    this.#trailers = trailers;
    this.#isAnswered = true;
    if (body === null) this.#stream.end();
    else this.#stream.end(body);
    if (!this.#stream.readableEnded) this.#discard();
  }

  /** An answer that came before the end of the request: what is still to come is not wanted. */
  #discard(): void {
    this.#stream.on("data", ignore).resume();
    if (this.#trailers === null) this.#stream.once("finish", () => this.#closeUnread());
  }

  // One turn later: what ends the answer is on its way only then.
  #closeUnread(): void {
    const stream = this.#stream;
    setImmediate(() => {
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #sendTrailers(): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    this.#stream.sendTrailers({ ...this.#trailers });
    if (!this.#stream.readableEnded) this.#closeUnread();
  }

  #closed(): void {
    const reason = closeReason(this.#stream.rstCode);
    this.interrupt(reason);
    if (!this.#isAnswered) this.onGone?.(reason);
  }
}

function ignore(): void {}
