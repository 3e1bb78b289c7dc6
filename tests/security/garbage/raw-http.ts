import { Agent, type IncomingMessage, request as httpRequest } from "node:http";

/** One request as it goes over the wire. */
export interface RawRequest {
  readonly method: string;
  /** With escapes, where they are needed. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

const PATIENCE_MS = 30_000;

/** Sends requests as they are, and keeps connections open in between: much cheaper than fetch. To be closed. */
export class RawHttp {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Resolves when the answer begins. */
  send({ method, path, headers, body }: RawRequest): Promise<IncomingMessage> {
    const { hostname, port } = this.#url;
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { hostname, port, method, path, agent: this.#agent, headers: { ...headers, ...length }, timeout: PATIENCE_MS },
        resolve,
      );
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error(`${method} ${path} had no answer in ${PATIENCE_MS} ms`)));
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** All that an answer says. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
