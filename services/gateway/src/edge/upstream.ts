import type { OutgoingHttpHeaders, ClientHttp2Stream } from "node:http2";
import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Health, HealthCheckResponse_ServingStatus } from "@helix-zed/gen/health/v1/health_pb.ts";
import { SessionPool } from "./session-pool.ts";

// Pings notice a peer that froze while a watch is silent. The services allow 1,000 streams on a connection.
const sessionOptions = { pingIntervalMs: 25_000, pingTimeoutMs: 5_000, streamsMax: 800 };
const healthTimeoutMs = 2_000;

/** A service behind the gateway: its HTTP/2 connections are shared by everything that goes to it. */
export class Upstream {
  readonly name: string;
  readonly services: readonly DescService[];
  /** For calls with messages. The caller's own credentials go along in the headers of each. */
  readonly transport: Transport;
  readonly #sessions: SessionPool;

  constructor({ name, baseUrl, services }: { name: string; baseUrl: string; services: readonly DescService[] }) {
    this.name = name;
    this.services = services;
    this.#sessions = new SessionPool(baseUrl, sessionOptions);
    this.transport = createConnectTransport({
      baseUrl,
      httpVersion: "2",
      sessionManager: this.#sessions,
      // What is unpacked again at once is not worth packing.
      acceptCompression: [],
    });
  }

  /** Opens a stream for bytes. Rejects when the service cannot be reached. */
  open(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    return this.#sessions.request(method, path, headers, {});
  }

  /** To be told for each piece that a stream gave: spares the connection a ping. */
  noteRead(stream: ClientHttp2Stream): void {
    this.#sessions.notifyResponseByteRead(stream);
  }

  /** Does the service say that it serves? */
  async isServing(): Promise<boolean> {
    try {
      const { status } = await createClient(Health, this.transport).check({}, { timeoutMs: healthTimeoutMs });
      return status === HealthCheckResponse_ServingStatus.SERVING;
    } catch {
      return false;
    }
  }

  /** Closes the connections and whatever still runs over it. */
  close(): void {
    this.#sessions.abort();
  }
}
