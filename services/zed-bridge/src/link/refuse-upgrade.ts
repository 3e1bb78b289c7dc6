import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Answers a request for a WebSocket with a plain response instead, and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, body: string, retryAfterMs = 1_000): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer realm="external-agents"'] : []),
    ...(status === 503 || status === 429 ? [`Retry-After: ${Math.ceil(retryAfterMs / 1_000)}`] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
