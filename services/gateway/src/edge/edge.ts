// One origin for everything
//
//   request ─┬─ from a page of another origin that may ──▶ marked for it; a preflight is answered
//            ├─ /healthz, /readyz                      ──▶ health
//            ├─ /helix.task.v1.TaskService/GetTask     ──▶ passed through to the service of that name
//            ├─ a file of the dashboard                ──▶ the file
//            └─ anything else                          ──▶ REST, which also says what does not exist
//
// The edge owns nothing: no identity (the services authenticate the caller's own token), no state, no route of its own.
import type { DescService } from "@bufbuild/protobuf";
import { type Log, type NodeHandlerFn, type NodeRequest, type NodeResponse, pathOf } from "@helix-zed/server";
import { Cors } from "./cors.ts";
import { noSuchService } from "./edge-error.ts";
import { Readiness } from "./readiness.ts";
import { createRest } from "./rest.ts";
import { protocolOf } from "./rpc-protocol.ts";
import { RpcProxy } from "./rpc-proxy.ts";
import type { StaticFiles } from "./static-files.ts";
import type { Upstream } from "./upstream.ts";

/** What an edge is made of. */
export interface EdgeOptions {
  readonly upstreams: readonly Upstream[];
  readonly files: StaticFiles;
  readonly corsOrigins: readonly string[];
  readonly log: Log;
}

interface ServedService {
  readonly upstream: Upstream;
  /** Methods that stream in either direction. */
  readonly streaming: ReadonlySet<string>;
}

/** Answers every request that comes to the gateway. */
export class Edge {
  readonly #services: ReadonlyMap<string, ServedService>;
  readonly #proxy = new RpcProxy();
  readonly #readiness: Readiness;
  readonly #cors: Cors;
  readonly #files: StaticFiles;
  readonly #rest: NodeHandlerFn;
  readonly #draining = new AbortController();

  constructor({ upstreams, files, corsOrigins, log }: EdgeOptions) {
    this.#services = new Map(
      upstreams.flatMap((upstream) => upstream.services.map((service) => [service.typeName, serve(upstream, service)])),
    );
    this.#readiness = new Readiness(upstreams);
    this.#cors = new Cors(corsOrigins);
    this.#files = files;
    this.#rest = createRest(upstreams, { log, draining: this.#draining.signal });
  }

  /** Answers one request. */
  handle(request: NodeRequest, response: NodeResponse): void {
    if (this.#cors.handle(request, response)) return;
    const path = pathOf(request);
    if (path === "/healthz") this.#readiness.answerAlive(response);
    else if (path === "/readyz") void this.#readiness.answerReady(response);
    else if (!this.#passRpc(request, response, path) && !this.#files.handle(request, response, path)) {
      this.#rest(request, response);
    }
  }

  /** Ends all streams with UNAVAILABLE, so that their callers go elsewhere; other calls may finish. */
  drain(): void {
    this.#readiness.drain();
    this.#draining.abort();
    this.#proxy.drain();
  }

  #passRpc(request: NodeRequest, response: NodeResponse, path: string): boolean {
    const [, serviceName = "", method = "", ...more] = path.split("/");
    const service = this.#services.get(serviceName);
    if (service !== undefined && more.length === 0) {
      this.#proxy.pass({ request, response, upstream: service.upstream }, { streaming: service.streaming.has(method) });
      return true;
    }
    const protocol = protocolOf(request);
    if (protocol.name === "connect-unary") return false;
    protocol.refuse(response, request.headers["content-type"] ?? "", noSuchService());
    return true;
  }
}

function serve(upstream: Upstream, service: DescService): ServedService {
  const streaming = service.methods.filter(({ methodKind }) => methodKind !== "unary").map(({ name }) => name);
  return { upstream, streaming: new Set(streaming) };
}
