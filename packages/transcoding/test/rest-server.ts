import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createRestHandler, type NodeHandler, overTransport, type RestOptions } from "../src/index.ts";
import { createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { BookstoreService } from "./gen/bookstore/v1/bookstore_pb.ts";

export type Bookstore = Partial<ServiceImpl<typeof BookstoreService>>;

/** REST for a bookstore that is implemented in this process. */
export function restHandlerFor(bookstore: Bookstore, options: Omit<RestOptions, "services"> = {}): NodeHandler {
  const transport = createRouterTransport((router) => router.service(BookstoreService, bookstore));
  return createRestHandler({
    dialect: "plain",
    errorDomain: "bookstore.test",
    ...options,
    services: [{ service: BookstoreService, invoker: overTransport(transport) }],
  });
}

/** A server to test against, closed with all its connections at the end of the scope. */
export interface TestServer extends AsyncDisposable {
  readonly origin: string;
}

/** Serves a handler over HTTP/1.1. */
export async function serveHttp1(handler: NodeHandler): Promise<TestServer> {
  const server = http.createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: originOf(server.address()),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves a handler over HTTP/2 without TLS. */
export async function serveHttp2(
  handler: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
): Promise<TestServer> {
  const server = http2.createServer(handler);
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: originOf(server.address()),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function originOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return `http://127.0.0.1:${address.port}`;
}
