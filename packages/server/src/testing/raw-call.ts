import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { TestServer } from "./test-server.ts";

/** A call as it goes over the wire. */
export interface RawCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Leaves the request open after its body. */
  readonly isOpen?: boolean;
  readonly verb?: string;
}

/** Everything that came back, but the date. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** Makes a call over HTTP/2. */
export async function overHttp2({ url }: TestServer, call: RawCall): Promise<RawAnswer> {
  const { path, headers, body, isOpen = false, verb = "POST" } = call;
  const session = http2.connect(url);
  try {
    const stream = session.request({ ":method": verb, ":path": path, ...headers }, { endStream: false });
    let trailers: object = {};
    stream.on("trailers", (received: object) => (trailers = received));
    const answered = once(stream, "response");
    if (isOpen) stream.write(body);
    else stream.end(body);
    const [{ ":status": status, ...received }] = await answered;
    const bytes = await all(stream);
    return { status, headers: withoutDate(received), body: bytes, trailers: withoutDate(trailers) };
  } finally {
    session.destroy();
  }
}

/** Makes a call over HTTP/1.1. */
export async function overHttp1({ url }: TestServer, call: RawCall): Promise<RawAnswer> {
  const { path, headers, body, verb = "POST" } = call;
  const sent = { ...headers, "content-length": body.length };
  const request = http.request(url + path, { method: verb, agent: false, headers: sent });
  request.end(body);
  const [response] = await once(request, "response");
  const bytes = await all(response);
  // Node says the connection's fate itself, and whether the length was known.
  const { connection: _connection, ...received } = response.headers;
  return {
    status: response.statusCode,
    headers: withoutDate(received),
    body: bytes,
    trailers: withoutDate(response.trailers),
  };
}

async function all(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

function withoutDate(headers: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "date"));
}
