import type { JsonValue } from "@bufbuild/protobuf";
import { chooseCoding, encodeContent } from "./content-coding.ts";
import { headerOf, type NodeRequest, type NodeResponse } from "./node-http.ts";

/** What a whole answer consists of. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** How answers are sent. */
export interface AnswerOptions {
  /** The smallest body that is compressed for a caller who takes that, in bytes. */
  readonly compressMinBytes: number;
}

/** Makes an answer of JSON. */
export function jsonAnswer(status: number, headers: Readonly<Record<string, string>>, body: JsonValue): Answer {
  return { status, headers, contentType: "application/json", bytes: Buffer.from(JSON.stringify(body)) };
}

/** Sends an answer. Not to be cached unless the headers say otherwise, and never to be taken for anything else. */
export async function sendAnswer(
  request: NodeRequest,
  response: NodeResponse,
  { status, headers, contentType, bytes: plain }: Answer,
  { compressMinBytes }: AnswerOptions,
): Promise<void> {
  const compressible = plain.length >= compressMinBytes;
  const coding = compressible ? chooseCoding(headerOf(request, "accept-encoding")) : undefined;
  const bytes = coding === undefined ? plain : await encodeContent(plain, coding);
  response.writeHead(status, {
    ...(status === 304 ? {} : { "content-type": contentType, "content-length": String(bytes.length) }),
    ...(coding === undefined ? {} : { "content-encoding": coding }),
    ...(compressible ? { vary: varyOf(response) } : {}),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  if (request.method === "HEAD" || status === 304) response.end();
  else response.end(bytes);
}

/** Whoever stands around us may have said already what else the answer depends on. */
function varyOf(response: NodeResponse): string {
  const before = response.getHeader("vary");
  return before === undefined ? "accept-encoding" : `${String(before)}, accept-encoding`;
}
