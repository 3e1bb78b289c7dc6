import type { IncomingMessage } from "node:http";
import type { Answer } from "./answer.ts";
import type { RestRequest } from "./arbitrary-rest-request.ts";
import { type RawHttp, textOf } from "./raw-http.ts";

/** Sends one request to a REST path. Of a stream it reads the first event, or the error. */
export async function callRest(
  http: RawHttp,
  token: string,
  { method, path, accept, body }: RestRequest,
): Promise<Answer> {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const headers = { authorization: `Bearer ${token}`, accept, ...type };
  const response = await http.send({ method, path, headers, body });
  const { statusCode = 0, headers: said } = response;
  if (statusCode >= 300) return errorIn(await textOf(response), statusCode);
  if (/event-stream|ndjson/.test(said["content-type"] ?? "")) return firstOf(response);
  return { code: "ok", text: await textOf(response) };
}

async function firstOf(response: IncomingMessage): Promise<Answer> {
  let heard = "";
  // Leaving the loop cuts the connection.
  for await (const piece of response) {
    heard += String(piece);
    const error = /^event: error\ndata: (.*)\n|^(\{"error":.*)\n/.exec(heard);
    if (error !== null) return errorIn(error[1] ?? error[2] ?? "", 200);
    if (/\n/.test(heard.replace(/^event: .*\n/, ""))) return { code: "ok", text: heard };
  }
  return { code: heard === "" ? "ok" : "no end of the stream", text: heard };
}

function errorIn(text: string, status: number): Answer {
  try {
    const { error }: { error?: { status?: string } } = JSON.parse(text);
    return { code: error?.status?.toLowerCase() ?? `status ${status}`, text };
  } catch {
    return { code: `status ${status}`, text };
  }
}
