// A caller that speaks Connect by hand: any bytes as any message, and the answer as it came.

import type { IncomingMessage } from "node:http";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Answer } from "./answer.ts";
import type { Body } from "./arbitrary-body.ts";
import { type RawHttp, textOf } from "./raw-http.ts";

/** To whom, and with what. */
export interface RpcCall {
  readonly method: DescMethod;
  readonly token: string;
  readonly body: Body;
}

const END_OF_STREAM = 2;

/** Sends one request. Of a stream it reads the first message, or the error. */
export async function callRpc(http: RawHttp, { method, token, body }: RpcCall): Promise<Answer> {
  const isStream = method.methodKind !== "unary";
  const response = await http.send({
    method: "POST",
    path: `/${method.parent.typeName}/${method.name}`,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": `application/${isStream ? "connect+" : ""}${body.encoding}`,
      "connect-protocol-version": "1",
    },
    body: isStream ? enveloped(body.bytes) : body.bytes,
  });
  if (response.statusCode !== 200) return errorIn(await textOf(response), response.statusCode);
  if (isStream) return firstOf(response);
  return { code: "ok", text: await textOf(response) };
}

function enveloped(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** The first envelope of a stream: a message, or the end with its error. */
async function firstOf(response: IncomingMessage): Promise<Answer> {
  let heard = Buffer.alloc(0);
  // Leaving the loop cuts the connection.
  for await (const piece of response) {
    heard = Buffer.concat([heard, piece]);
    if (heard.length < 5) continue;
    if (heard[0] !== END_OF_STREAM) return { code: "ok", text: heard.toString() };
    const length = heard.readUInt32BE(1);
    if (heard.length < 5 + length) continue;
    const end: { error?: unknown } = JSON.parse(heard.subarray(5, 5 + length).toString());
    return end.error === undefined ? { code: "ok", text: "" } : errorIn(JSON.stringify(end.error), 200);
  }
  return { code: "no end of the stream", text: "" };
}

function errorIn(text: string, status: number | undefined): Answer {
  try {
    const { code, message, details }: { code?: string; message?: string; details?: { value?: string }[] } =
      JSON.parse(text);
    const said = (details ?? []).map(({ value = "" }) => Buffer.from(value, "base64").toString());
    return { code: code ?? `status ${status}`, text: [text, message ?? "", ...said].join("\n") };
  } catch {
    return { code: `status ${status}`, text };
  }
}
