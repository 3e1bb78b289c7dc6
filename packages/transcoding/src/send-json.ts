import type { JsonValue } from "@bufbuild/protobuf";
import type { NodeResponse } from "./node-http.ts";

/** What an answer that is JSON consists of. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonValue;
  /** For HEAD: all headers, no body. */
  readonly bodiless: boolean;
}

/** Sends JSON. Not to be cached unless the headers say otherwise, and never to be taken for anything but JSON. */
export function sendJson(response: NodeResponse, { status, headers, body, bodiless }: JsonAnswer): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  if (bodiless) response.end();
  else response.end(bytes);
}
