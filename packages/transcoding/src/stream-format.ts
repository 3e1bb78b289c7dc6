import type { JsonValue } from "@bufbuild/protobuf";

/** One message of a stream, ready to be written. */
export interface StreamItem {
  readonly json: JsonValue;
  /** Where to go on after this message, if the stream can be resumed. */
  readonly id: string | undefined;
  /** What kind of message it is, if it says so. */
  readonly event: string | undefined;
}

/** How a server stream is spelled in the body of a response. */
export interface StreamFormat {
  readonly contentType: string;
  item(item: StreamItem): string;
  /** The last thing of a stream that failed; `retryDelayMs` if a delay was asked for. */
  error(body: JsonValue, retryDelayMs: number | undefined): string;
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

// A line break would end the field; such an id is left out rather than sent half.
function line(name: string, value: string | undefined): string {
  return value === undefined || value === "" || /[\r\n\0]/.test(value) ? "" : `${name}: ${value}\n`;
}
