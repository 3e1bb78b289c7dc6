// A caller that speaks Connect by hand: any bytes as any message, and the answer as it came.

import type { DescMethod } from "@bufbuild/protobuf";
import type { Body } from "./arbitrary-body.ts";

/** What a call came to: the code of its error, or `ok`, and everything that was said. */
export interface RawAnswer {
  readonly code: string;
  /** All that the answer says when it is an error; empty otherwise. */
  readonly text: string;
}

const PATIENCE_MS = 20_000;
const END_OF_STREAM = 2;

/** Sends one request. Of a stream it reads the first message, or the error. */
export async function callRaw(baseUrl: string, token: string, method: DescMethod, body: Body): Promise<RawAnswer> {
  const isStream = method.methodKind !== "unary";
  const stop = new AbortController();
  const response = await fetch(`${baseUrl}/${method.parent.typeName}/${method.name}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": `application/${isStream ? "connect+" : ""}${body.encoding}`,
      "connect-protocol-version": "1",
    },
    body: isStream ? enveloped(body.bytes) : Buffer.from(body.bytes),
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]),
  });
  if (isStream && response.ok) {
    try {
      return await readFirst(response);
    } finally {
      stop.abort();
    }
  }
  if (response.ok) {
    await response.arrayBuffer();
    return { code: "ok", text: "" };
  }
  return errorIn(await response.text(), response.status);
}

function enveloped(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** The first envelope of a stream: a message, or the end with its error. */
async function readFirst(response: Response): Promise<RawAnswer> {
  let heard = Buffer.alloc(0);
  for await (const piece of response.body ?? []) {
    heard = Buffer.concat([heard, piece]);
    if (heard.length < 5) continue;
    if (heard[0] !== END_OF_STREAM) return { code: "ok", text: "" };
    const length = heard.readUInt32BE(1);
    if (heard.length < 5 + length) continue;
    const end: { error?: unknown } = JSON.parse(heard.subarray(5, 5 + length).toString());
    return end.error === undefined ? { code: "ok", text: "" } : errorIn(JSON.stringify(end.error), 200);
  }
  return { code: "no end of the stream", text: "" };
}

function errorIn(text: string, status: number): RawAnswer {
  try {
    const { code, message, details }: { code?: string; message?: string; details?: { value?: string }[] } =
      JSON.parse(text);
    const said = (details ?? []).map(({ value = "" }) => Buffer.from(value, "base64").toString());
    return { code: code ?? `status ${status}`, text: [text, message ?? "", ...said].join("\n") };
  } catch {
    return { code: `status ${status}`, text };
  }
}
