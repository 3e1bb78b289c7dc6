// Serving
//
//   one port ─▶ name the request ─┬─▶ an RPC ─▶ gate: begin the call, authenticate ─▶ read and parse
//                                 │              ─▶ observe ─▶ map errors ─▶ end with signal ─▶ validate ─▶ handler
//                                 └─▶ anything else ─▶ fallback
//
// Most RPCs are read and written by the short path (short-path/short-path.ts), the others by Connect's own handlers: one
// gate, one list of interceptors and one set of limits for both. Interceptors are set here and nowhere else: in Connect a
// service's own list would replace this one.
//
// Stopping goes in steps, each of which needs the one before: health says NOT_SERVING; no more connections; streams end
// with UNAVAILABLE and RetryInfo; other calls may finish until the grace is over; then their signals abort, and what is
// left of the connections is cut.
import { setImmediate } from "node:timers/promises";
import { type ConnectRouter, createConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { createValidator } from "@bufbuild/protovalidate";
import { validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import { Refusal, type World } from "@helix-zed/domain";
import { Health } from "@helix-zed/gen/health/v1/health_pb.ts";
import type { Authenticate } from "./authenticate.ts";
import { drainingRefusal, endWithSignal } from "./end-with-signal.ts";
import { type Fallback, guardFallback, notFoundFallback } from "./fallback.ts";
import { type HealthCheck, healthService, HealthState } from "./health.ts";
import type { Log } from "./log.ts";
import { type ErrorMapping, errorMapping, mapErrors, type ReasonCodes } from "./map-errors.ts";
import { beginCall, observe } from "./observe.ts";
import { OnePort, type UpgradeListener } from "./one-port.ts";
import { reflectionServices, serveReflection } from "./reflection.ts";
import { nameRequest } from "./request-id.ts";
import { createRpcListener } from "./rpc-listener.ts";
import type { ServerReason } from "./server-reasons.ts";
import { recordSpecs } from "./short-path/record-specs.ts";
import { ShortPath } from "./short-path/short-path.ts";
import { compileRules, type FurtherChecks, validateRequests } from "./validate.ts";

/** The largest message that is read. */
export const messageBytesMax = 4 * 1024 * 1024;

/** The longest deadline that a call may ask for: a day. */
export const callTimeoutMsMax = 24 * 60 * 60 * 1_000;

/** How long a call that is no stream may take, whatever its deadline. */
export const unaryTimeoutMsMax = 60_000;

/** How long calls may go on after the server was told to stop. */
export const stopGraceMs = 10_000;

/** What a server serves. */
export interface ServeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly routes: (router: ConnectRouter) => void;
  /** What the services find wrong with requests themselves, to be told together with what breaks the rules. */
  readonly furtherChecks?: FurtherChecks;
  readonly authenticate: Authenticate;
  /** The code of each reason that the services refuse with. */
  readonly codes: ReasonCodes;
  /** Whatever is no RPC; it finds the request id in the header `x-request-id`. Without it: a 404. */
  readonly fallback?: Fallback;
  /** Requests for a WebSocket. */
  readonly upgrade?: UpgradeListener;
  /** What must be well for the server to be healthy. */
  readonly checks?: Readonly<Record<string, HealthCheck>>;
  /** Time between two rounds of checks: 5 s. */
  readonly checkIntervalMs?: number;
  /** How long a call that is no stream may take: {@link unaryTimeoutMsMax} unless told otherwise. */
  readonly unaryTimeoutMs?: number;
  /** `false` leaves every call to Connect's own handlers, to compare with. */
  readonly shortPath?: boolean;
  readonly log: Log;
  readonly world: World;
}

/** A server that listens. */
export interface Server {
  readonly port: number;
  readonly health: HealthState;
  /** Stops gracefully; resolves when the last connection has ended, after `graceMs` (10 s) at the latest. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Opens the port and serves until closed. Rejects with a `PortError` if the port cannot be opened. */
export async function serve(options: ServeOptions): Promise<Server> {
  const { host, port, log, world, fallback = notFoundFallback, upgrade } = options;
  const draining = new AbortController();
  const stopping = new AbortController();
  const map = errorMapping(options.codes, log);
  const { router, shortPath, health } = createRouter(options, map, draining.signal, stopping.signal);
  const listener = createRpcListener({ router, fallback: guardFallback(fallback, log, world), log });
  const onePort = new OnePort({
    takeStream: (stream, headers) => shortPath.takeStream(stream, headers),
    handler: (request, response) => {
      if (shortPath.takeRequest(request, response)) return;
      nameRequest(request, response, world);
      listener(request, response);
    },
    ...(upgrade === undefined ? {} : { upgrade }),
  });
  const bound = await onePort.listen({ host, port });
  await health.start();
  return {
    port: bound,
    health,
    async close({ graceMs = stopGraceMs } = {}) {
      health.drain();
      const closed = onePort.close(graceMs);
      // Those who watch our health are told before their stream ends.
      await setImmediate();
      draining.abort(drainingRefusal());
      const timer = setTimeout(() => stopping.abort(map(drainingRefusal(), "unknown")), graceMs * 0.9);
      const cut = await closed;
      clearTimeout(timer);
      if (cut > 0) log.warn({ connections: cut }, "connections were cut");
    },
  };
}

function createRouter(
  options: ServeOptions,
  map: ErrorMapping,
  draining: AbortSignal,
  stopping: AbortSignal,
): { router: ConnectRouter; shortPath: ShortPath; health: HealthState } {
  const { routes, furtherChecks, log, world, checks = {}, checkIntervalMs } = options;
  const { unaryTimeoutMs = unaryTimeoutMsMax } = options;
  const validator = createValidator();
  const settings = validateUniversalHandlerOptions({
    requestGate: (context) => gate(context, options, map),
    interceptors: [
      observe,
      mapErrors(map),
      endWithSignal({ draining, unaryTimeoutMs, world }),
      validateRequests(validator, furtherChecks),
    ],
    shutdownSignal: stopping,
    readMaxBytes: messageBytesMax,
    maxTimeoutMs: callTimeoutMsMax,
    acceptCompression: [compressionGzip],
    compressMinBytes: 8 * 1024,
    // A misspelt field or enum value is an error, not silence.
    jsonOptions: { ignoreUnknownFields: false },
  });
  const { router, specs } = recordSpecs(createConnectRouter(settings));
  routes(router);
  const services = Array.from(new Set(router.handlers.map(({ service }) => service)));
  compileRules(validator, services);
  const names = services.map(({ typeName }) => typeName);
  const pace = checkIntervalMs === undefined ? {} : { checkIntervalMs };
  const health = new HealthState({ services: names, checks, log, world, ...pace });
  router.service(Health, healthService(health));
  serveReflection(router, [...services, Health, ...reflectionServices]);
  const shortPath = new ShortPath({ specs: options.shortPath === false ? [] : specs, settings, log, world });
  return { router, shortPath, health };
}

function gate(context: HandlerContext, options: ServeOptions, map: ErrorMapping): void | Promise<void> {
  const call = beginCall(context, options.log, options.world);
  const refuse = (error: unknown): never => {
    throw map(error, call.requestId);
  };
  try {
    checkQuery(context);
    if (publicServices.has(context.service.typeName)) return;
    const authentication = options.authenticate(context.requestHeader);
    if (authentication instanceof Promise) {
      return authentication.then((known) => void (call.authentication = known)).catch(refuse);
    }
    call.authentication = authentication;
  } catch (error) {
    refuse(error);
  }
}

const publicServices: ReadonlySet<string> = new Set([Health, ...reflectionServices].map(({ typeName }) => typeName));

/** Connect decodes the message of a GET by itself, and takes what it cannot decode for a failure of ours. */
function checkQuery(context: HandlerContext): void {
  if (context.requestMethod !== "GET") return;
  const query = new URL(context.url).searchParams;
  if (query.get("base64") !== "1" || /^[\w+/-]*={0,2}$/.test(query.get("message") ?? "")) return;
  const reason: ServerReason = "INVALID_REQUEST";
  throw new Refusal(reason, "The query parameter message is not valid base64.");
}
