import { once } from "node:events";
import * as net from "node:net";

/** Passes connections on to another port until it is cut, like a cable. */
export class Relay {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /** Listens on a free port and connects whoever comes to the target port. */
  static async to(targetPort: number): Promise<Relay> {
    const server = net.createServer();
    const relay = new Relay(server);
    server.on("connection", (near) => relay.#join(near, net.connect(targetPort, "127.0.0.1")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the relay does not listen");
    return address.port;
  }

  /**
   * Breaks all connections off, as when the process behind dies, and takes no new ones. The kernel of a process that
   * died closes its connections, or resets those with unread data.
   */
  async cut(how: "close" | "reset" = "reset"): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.end();
    }
    await closed;
  }

  #join(near: net.Socket, far: net.Socket): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }
}
