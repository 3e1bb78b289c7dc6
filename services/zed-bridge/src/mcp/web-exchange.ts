import type { NodeRequest, NodeResponse } from "@helix-zed/server";

/** A request as the web has it, without its body, which is read by us. The address is ours, whatever the caller says. */
export function toWebRequest(request: NodeRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const each of Array.isArray(value) ? value : [value]) headers.append(name, each);
  }
  return new Request("http://zed-bridge/mcp", { method: "POST", headers, signal });
}

/** Headers that belong to a connection, which HTTP/2 forbids. */
const OF_CONNECTION: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** Sends an answer, as fast as the caller reads it; gives up when the caller has gone. */
export async function sendWebResponse(answer: Response, response: NodeResponse): Promise<void> {
  const headers = [...answer.headers].filter(([name]) => !OF_CONNECTION.has(name));
  response.writeHead(answer.status, Object.fromEntries(headers));
  const reader = answer.body?.getReader();
  if (reader !== undefined) {
    const hangUp = (): void => void reader.cancel().catch(() => {});
    response.once("close", hangUp);
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      if (!response.write(piece.value)) await drained(response);
    }
    response.off("close", hangUp);
  }
  response.end();
}

function drained(response: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
