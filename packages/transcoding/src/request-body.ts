import type { JsonValue } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { headerOf, type NodeRequest } from "./node-http.ts";
import { callerGone, invalidField, RestError } from "./rest-error.ts";

/** Reads the body of a request as JSON; undefined when it is empty. Refuses other media types, and more than `maxBytes`. */
export async function readJsonBody(request: NodeRequest, maxBytes: number): Promise<JsonValue | undefined> {
  const bytes = await readBytes(request, maxBytes).catch(refuseOrCancel);
  if (bytes.length === 0) return undefined;
  requireJson(headerOf(request, "content-type"));
  requireIdentity(headerOf(request, "content-encoding"));
  return parseJson(bytes);
}

async function readBytes(request: NodeRequest, maxBytes: number): Promise<Uint8Array> {
  if (Number(headerOf(request, "content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> = request;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

// A body that breaks off has a caller who has gone; nothing is wrong here.
function refuseOrCancel(error: unknown): never {
  if (error instanceof RestError) throw error;
  throw callerGone();
}

function tooLarge(maxBytes: number): RestError {
  const message = `The request is larger than ${maxBytes} bytes.`;
  return new RestError(Code.ResourceExhausted, "MESSAGE_TOO_LARGE", message, { httpStatus: 413 });
}

function requireJson(contentType: string | undefined): void {
  if (contentType === undefined) return;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (type === "application/json" && (charset === undefined || charset === "utf-8" || charset === "utf8")) return;
  throw unsupported("The body must be application/json in UTF-8.", { accept: "application/json" });
}

function requireIdentity(encoding: string | undefined): void {
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw unsupported("A compressed body is not supported.", { "accept-encoding": "identity" });
}

function unsupported(message: string, headers: Record<string, string>): RestError {
  return new RestError(Code.InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message, { httpStatus: 415, headers });
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
