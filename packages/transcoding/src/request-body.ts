import type { JsonValue } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { contentTooLarge, decodeContent } from "./content-coding.ts";
import { headerOf, type NodeRequest } from "./node-http.ts";
import { callerGone, invalidField, RestError } from "./rest-error.ts";

/** Bytes and their media type, as they came. */
export interface RawBody {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Reads the body of a request as JSON; undefined when it is empty. Refuses other media types, and more than `maxBytes`. */
export async function readJsonBody(request: NodeRequest, maxBytes: number): Promise<JsonValue | undefined> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return undefined;
  requireJson(headerOf(request, "content-type"));
  return parseJson(await decodeContent(bytes, headerOf(request, "content-encoding"), maxBytes));
}

/** Reads the body of a request as it is, but for its coding. */
export async function readRawBody(request: NodeRequest, maxBytes: number): Promise<RawBody> {
  const bytes = await readBytes(request, maxBytes);
  const data = await decodeContent(bytes, headerOf(request, "content-encoding"), maxBytes);
  return { contentType: headerOf(request, "content-type") ?? "", data };
}

function readBytes(request: NodeRequest, maxBytes: number): Promise<Uint8Array> {
  return collect(request, maxBytes).catch(refuseOrCancel);
}

async function collect(request: NodeRequest, maxBytes: number): Promise<Uint8Array> {
  if (Number(headerOf(request, "content-length") ?? 0) > maxBytes) throw contentTooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> = request;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw contentTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

// A body that breaks off has a caller who has gone; nothing is wrong here.
function refuseOrCancel(error: unknown): never {
  if (error instanceof RestError) throw error;
  throw callerGone();
}

function requireJson(contentType: string | undefined): void {
  if (contentType === undefined) return;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (type === "application/json" && (charset === undefined || charset === "utf-8" || charset === "utf8")) return;
  const details = { httpStatus: 415, headers: { accept: "application/json" } };
  const message = "The body must be application/json in UTF-8.";
  throw new RestError(Code.InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message, details);
}

function parseJson(bytes: Uint8Array): JsonValue {
  try {
    const json: JsonValue = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return json;
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidField("", `The body is not valid JSON: ${error.message}`);
    throw invalidField("", "The body is not valid UTF-8.");
  }
}
