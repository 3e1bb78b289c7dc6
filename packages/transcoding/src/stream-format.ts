import type { JsonValue } from "@bufbuild/protobuf";
import type { RawBody } from "./request-body.ts";

/** One message of a stream, ready to be written. */
export interface StreamItem {
  readonly json: JsonValue;
  /** Where to go on after this message, if the stream can be resumed. */
  readonly id: string | undefined;
  /** What kind of message it is, if it says so. */
  readonly event: string | undefined;
  /** Bytes that stand for themselves, with their media type, where the messages of the stream are such. */
  readonly raw: RawBody | undefined;
}

/** How a server stream is spelled in the body of a response. */
export interface StreamFormat {
  /** "": that of the first message. */
  readonly contentType: string;
  item(item: StreamItem): string | Uint8Array;
  /**
   * The last thing of a stream that failed; `retryDelayMs` if a delay was asked for. `null` where the format has no words
   * for it: the response is broken off, so that nobody takes it for whole.
   */
  error(body: JsonValue, retryDelayMs: number | undefined): string | null;
  /** The last thing of a stream that ended well. */
  readonly end: string;
  /** Written into silences; "" where the format has nothing that a reader may ignore. */
  readonly heartbeat: string;
}

/**
 * Server-sent events. A browser's EventSource reconnects whenever the connection ends, so a stream that has ended for
 * good says so with `event: end`.
 */
export const serverSentEvents: StreamFormat = {
  contentType: "text/event-stream",
  item: ({ json, id, event }) => `${line("id", id)}${line("event", event)}data: ${JSON.stringify(json)}\n\n`,
  error: (body, retryDelayMs) =>
    `${line("retry", retryDelayMs?.toFixed(0))}event: error\ndata: ${JSON.stringify(body)}\n\n`,
  end: "event: end\ndata: {}\n\n",
  heartbeat: ": heartbeat\n\n",
};

/** One JSON value a line; a stream that failed ends with the line `{"error": …}`. */
export const newlineDelimitedJson: StreamFormat = {
  contentType: "application/x-ndjson",
  item: ({ json }) => `${JSON.stringify(json)}\n`,
  error: (body) => `${JSON.stringify(body)}\n`,
  end: "",
  heartbeat: "",
};

/** Bytes of any media type, one message after the other. */
export const rawBytes: StreamFormat = {
  contentType: "",
  item: ({ raw }) => raw?.data ?? "",
  error: () => null,
  end: "",
  heartbeat: "",
};

// A line break would end the field; such an id is left out rather than sent half.
function line(name: string, value: string | undefined): string {
  return value === undefined || value === "" || /[\r\n\0]/.test(value) ? "" : `${name}: ${value}\n`;
}
