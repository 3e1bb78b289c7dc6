import { createServer, connect, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { mustBeGoneAfterFile } from "./leaks.ts";

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Whether what goes to the server, and what comes from it, is thrown away. */
  losesRequests: boolean;
  losesAnswers: boolean;
}

/**
 * Stands between a client and a server, and can do what networks do: `freeze` leaves the connections of this moment open
 * and carries nothing over them any more, in either direction and without a word; `loseAnswers` carries requests, and
 * nothing that is answered, until the server closes the connection. New ones work.
 */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens on a free port of the loopback interface. */
  static async start(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("A TCP listener has no port.");
    const proxy = new TcpProxy(server, address.port);
    server.on("connection", (client) => proxy.#carry(client, connect(target)));
    mustBeGoneAfterFile({
      remains: async () => (server.listening ? "a TCP proxy that listens" : undefined),
      discard: () => proxy.close(),
    });
    return proxy;
  }

  /** The URL of a server, by way of this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.host = `127.0.0.1:${this.port}`;
    return changed.href;
  }

  /** How many connections it carries. */
  get connections(): number {
    return [...this.#pairs].filter(({ losesAnswers }) => !losesAnswers).length;
  }

  /** Carries nothing any more over the connections that there are. Gives their number. */
  freeze(): number {
    const count = this.connections;
    for (const pair of this.#pairs) Object.assign(pair, { losesRequests: true, losesAnswers: true });
    return count;
  }

  /** Carries no answer any more over the connections that there are. */
  loseAnswers(): void {
    for (const pair of this.#pairs) pair.losesAnswers = true;
  }

  /** Breaks the connections that there are. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Cuts everything, for good. */
  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: Socket, upstream: Socket): void {
    const pair: Pair = { client, upstream, losesRequests: false, losesAnswers: false };
    this.#pairs.add(pair);
    const bothWays = [
      { from: client, to: upstream, isLost: () => pair.losesRequests },
      { from: upstream, to: client, isLost: () => pair.losesAnswers },
    ];
    for (const { from, to, isLost } of bothWays) {
      from.setNoDelay(true);
      // What is lost is read and thrown away, so that the sender believes that it arrived.
      from.on("data", (piece) => void (isLost() || to.write(piece)));
      from.on("error", () => {});
      from.on("close", () => {
        if (!pair.losesRequests) to.destroy();
        if (client.destroyed && upstream.destroyed) this.#pairs.delete(pair);
      });
    }
  }
}
