import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { requestIdHeader } from "../request-id.ts";
import type { Body } from "./body.ts";
import type { Head } from "./exchange.ts";
import type { ShortCall } from "./short-call.ts";

type Entries = Readonly<Record<string, string>>;

/** How a call is spoken: one protocol and one format, with the compressions that were agreed upon. */
export interface Wire {
  readonly protocolName: "grpc" | "connect";
  /** What the answer's headers and trailers begin with. */
  readonly firstHeader: Entries;
  readonly firstTrailer: Entries;
  /** What to read a request into. */
  body(call: ShortCall): Body;
  parse(bytes: Uint8Array): Message | Promise<Message>;
  /** Sends the one message of an answer, and all that belongs to it. */
  answer(call: ShortCall, message: Message): void | Promise<void>;
  /** Sends an error instead. */
  refuse(call: ShortCall, error: ConnectError): void | Promise<void>;
  /** Begins a stream. */
  begin(call: ShortCall): void;
  /** A message of a stream, in its envelope. */
  frame(message: Message): Uint8Array | Promise<Uint8Array>;
  /** Ends a stream that was begun, with an error or without. */
  finish(call: ShortCall, error: ConnectError | null): void | Promise<void>;
}

/** Status and headers of an answer. */
export function headOf(call: ShortCall, status: number, { firstHeader }: Pick<Wire, "firstHeader">): Head {
  const head: Head = [":status", String(status)];
  const touched = call.touchedHeader;
  if (touched?.has(requestIdHeader) !== true) head.push(requestIdHeader, requestIdOf(call));
  if (touched === undefined) for (const name in firstHeader) head.push(name, firstHeader[name] ?? "");
  else touched.forEach((value, name) => head.push(name, value));
  return head;
}

function requestIdOf({ exchange }: ShortCall): string {
  const id = exchange.headers[requestIdHeader];
  return typeof id === "string" ? id : "unknown";
}
