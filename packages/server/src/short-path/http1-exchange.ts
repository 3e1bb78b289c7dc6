import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Body } from "./body.ts";
import { endOfCall } from "./close-reason.ts";
import type { Exchange, Head } from "./exchange.ts";

/** A request and its answer over HTTP/1.1, without trailers. */
export class Http1Exchange implements Exchange {
  readonly headers: IncomingHttpHeaders;
  onGone: ((reason: unknown) => void) | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #isAnswered = false;
  #stopReading: ((reason: unknown) => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.headers = request.headers;
    request.on("error", ignore);
    response.on("error", ignore);
    // The request closes as soon as it is read; the response when nobody is left.
    response.once("close", () => this.#closed());
  }

  get url(): string {
    return new URL(this.#request.url ?? "", `http://${this.headers.host ?? ""}`).href;
  }

  get isClosed(): boolean {
    return this.#isAnswered || this.#response.closed || this.#response.destroyed;
  }

  read(body: Body): Promise<Uint8Array> {
    const request = this.#request;
    if (request.readableEnded) return Promise.resolve(body.whole());
    return new Promise((resolve, reject) => {
      let reading: Body | undefined = body;
      this.#stopReading = reject;
      request.on("data", (chunk: Buffer) => {
        try {
          reading?.push(chunk);
        } catch (error) {
          reading = undefined;
          reject(error);
        }
      });
      request.on("end", () => {
        this.#stopReading = undefined;
        if (reading !== undefined) resolve(reading.whole());
        reading = undefined;
      });
    });
  }

  send(head: Head, body: Uint8Array | null): void {
    if (this.isClosed) return;
    this.#isAnswered = true;
    this.#response.writeHead(...statusAndHeaders(head));
    this.#response.end(body);
  }

  begin(head: Head): void {
    if (this.isClosed) return;
    this.#response.writeHead(...statusAndHeaders(head));
    this.#response.flushHeaders();
  }

  write(bytes: Uint8Array): boolean {
    return this.isClosed || this.#response.write(bytes);
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isClosed || !this.#response.writableNeedDrain) {
        resolve();
        return;
      }
      this.#wake = resolve;
      this.#response.once("drain", resolve);
    });
  }

  interrupt(reason: unknown): void {
    this.#stopReading?.(reason);
    this.#wake?.();
  }

  finish(): void {
    if (this.isClosed) return;
    this.#isAnswered = true;
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #closed(): void {
    this.interrupt(endOfCall);
    if (!this.#isAnswered) this.onGone?.(endOfCall);
  }
}

function statusAndHeaders([, status, ...headers]: Head): [number, string[]] {
  return [Number(status), headers];
}

function ignore(): void {}
