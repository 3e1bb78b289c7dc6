import { once } from "node:events";
import type { Message } from "@bufbuild/protobuf";
import type { ErrorPresenter } from "./error-response.ts";
import { inertHeaders } from "./http-body.ts";
import type { StreamReply } from "./invoker.ts";
import type { NodeResponse } from "./node-http.ts";
import type { StreamFormat, StreamItem } from "./stream-format.ts";

/** How a stream is sent. */
export interface StreamAnswer {
  readonly open: () => Promise<StreamReply>;
  readonly format: StreamFormat;
  readonly toItem: (message: Message) => StreamItem;
  readonly headersOf: (reply: StreamReply) => Readonly<Record<string, string>>;
  readonly present: ErrorPresenter;
  readonly timing: StreamTiming;
  /** Aborted when the reader has gone, or the stream has to end. */
  readonly signal: AbortSignal;
}

/** When something is written although no message came. */
export interface StreamTiming {
  /** Silence after which a heartbeat is sent. */
  readonly heartbeatMs: number;
  /**
   * How long an answer may take before the response begins without it. A call that is refused sooner gets the HTTP status
   * of its refusal; a call that is merely quiet gets its headers, so that the caller knows that it is connected.
   */
  readonly headerDelayMs: number;
}

/**
 * Sends a stream of messages, as fast as the reader takes them and no faster. Throws, having sent nothing, if the call
 * fails before the response began; a later failure is the last thing in the body.
 */
export async function sendStream(response: NodeResponse, answer: StreamAnswer): Promise<void> {
  const { format, toItem, present } = answer;
  const body = new StreamBody(response, answer);
  try {
    const reply = await answer.open();
    body.headers = answer.headersOf(reply);
    for await (const message of reply.messages) {
      const item = toItem(message);
      body.contentType ||= item.raw?.contentType ?? "";
      await body.write(format.item(item));
    }
    body.begin();
    body.end(format.end);
  } catch (error) {
    if (!response.headersSent) throw error;
    const shown = present(error);
    body.fail(format.error(shown.body, shown.retryDelayMs));
  } finally {
    body.stopTimers();
  }
}

class StreamBody {
  /** Headers of the service, once they are known. */
  headers: Readonly<Record<string, string>> = {};
  /** The media type of the whole. */
  contentType: string;
  readonly #response: NodeResponse;
  readonly #format: StreamFormat;
  readonly #signal: AbortSignal;
  readonly #headerTimer: NodeJS.Timeout;
  readonly #heartbeatTimer: NodeJS.Timeout;
  #blocked = false;

  constructor(response: NodeResponse, { format, signal, timing }: StreamAnswer) {
    this.#response = response;
    this.#format = format;
    this.contentType = format.contentType;
    this.#signal = signal;
    this.#headerTimer = setTimeout(() => this.begin(), timing.headerDelayMs);
    this.#heartbeatTimer = setInterval(() => this.#beat(), timing.heartbeatMs);
  }

  begin(): void {
    clearTimeout(this.#headerTimer);
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, {
      "content-type": this.contentType || "application/octet-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      // Proxies that buffer would hold back what is live.
      "x-accel-buffering": "no",
      ...(this.#format.contentType === "" ? inertHeaders : {}),
      ...this.headers,
    });
    // HTTP/2 sends headers at once, HTTP/1.1 with the first bytes of the body.
    if ("flushHeaders" in this.#response) this.#response.flushHeaders();
  }

  async write(text: string | Uint8Array): Promise<void> {
    this.begin();
    this.#heartbeatTimer.refresh();
    if (this.#response.write(text)) return;
    this.#blocked = true;
    await drained(this.#response, this.#signal);
    this.#blocked = false;
  }

  end(text: string): void {
    this.#response.end(text);
  }

  fail(text: string | null): void {
    if (text === null) this.#response.destroy();
    else this.end(text);
  }

  stopTimers(): void {
    clearTimeout(this.#headerTimer);
    clearInterval(this.#heartbeatTimer);
  }

  #beat(): void {
    const { heartbeat } = this.#format;
    if (heartbeat !== "" && this.#response.headersSent && !this.#blocked) this.#response.write(heartbeat);
  }
}

/** Resolves when the reader has caught up; throws the signal's reason when it aborts first. */
async function drained(response: NodeResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, "drain", { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
