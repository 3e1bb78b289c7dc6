import { Code, ConnectError } from "@connectrpc/connect";
import { callService } from "./call-service.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-http.ts";
import { callerGone, PreconditionFailed, RestError } from "./rest-error.ts";
import type { RestOptions } from "./rest-options.ts";
import { RestRoutes } from "./rest-routes.ts";
import { type RestSettings, settle } from "./rest-settings.ts";
import { jsonAnswer, sendAnswer } from "./send-answer.ts";

/**
 * REST for services whose methods carry google.api.http annotations.
 *
 *     match the raw path ─▶ read body, query and path into the request message ─▶ invoke ─▶ write the answer as JSON
 *
 * Routes are worked out here, once; an annotation that cannot be served throws. The handler never throws: whatever goes
 * wrong becomes an AIP-193 error. It answers every path, so mount it last or under a prefix of its own.
 */
export function createRestHandler(options: RestOptions): NodeHandler {
  const settings = settle(options);
  const routes = new RestRoutes(options.services);
  const calls = new OpenCalls(options.shutdownSignal);
  return (request, response) => {
    answer(request, response, { routes, settings, calls }).catch((error: unknown) => {
      settings.onUnexpected(error, request);
      response.destroy();
    });
  };
}

interface Handling {
  readonly routes: RestRoutes;
  readonly settings: RestSettings;
  readonly calls: OpenCalls;
}

async function answer(request: NodeRequest, response: NodeResponse, handling: Handling): Promise<void> {
  try {
    await dispatch(request, response, handling);
  } catch (error) {
    await sendError(request, response, handling.settings, error);
  }
}

async function dispatch(
  request: NodeRequest,
  response: NodeResponse,
  { routes, settings, calls }: Handling,
): Promise<void> {
  const [rawPath = "", rawQuery = ""] = splitOnce(request.url ?? "", "?");
  const target = routes.find(request.method ?? "GET", rawPath);
  if (target.kind === "options") {
    response.writeHead(204, { allow: target.allow });
    response.end();
    return;
  }
  const streaming = target.route.method.methodKind !== "unary";
  const call = calls.open(response, { streaming });
  try {
    await callService({ request, response, rawQuery, signal: call.signal, ...target }, settings);
  } finally {
    calls.close(call);
  }
}

async function sendError(
  request: NodeRequest,
  response: NodeResponse,
  settings: RestSettings,
  thrown: unknown,
): Promise<void> {
  const expected =
    thrown instanceof RestError || thrown instanceof ConnectError || thrown instanceof PreconditionFailed;
  const error = expected ? thrown : (settings.onUnexpected(thrown, request) ?? thrown);
  const { status, headers, body } = settings.present(error);
  await sendAnswer(request, response, jsonAnswer(status, headers, body), settings);
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** The calls that run: each is aborted when its caller hangs up, streams also when the server shuts down. */
class OpenCalls {
  readonly #streams = new Set<AbortController>();
  #shutDown = false;

  constructor(shutdownSignal: AbortSignal | undefined) {
    shutdownSignal?.addEventListener("abort", () => {
      this.#shutDown = true;
      for (const stream of this.#streams) stream.abort(draining());
    });
  }

  open(response: NodeResponse, { streaming }: { streaming: boolean }): AbortController {
    const call = new AbortController();
    response.once("close", () => {
      if (!response.writableEnded) call.abort(callerGone());
    });
    if (streaming) this.#streams.add(call);
    if (streaming && this.#shutDown) call.abort(draining());
    return call;
  }

  close(call: AbortController): void {
    this.#streams.delete(call);
  }
}

function draining(): RestError {
  return new RestError(Code.Unavailable, "SERVER_DRAINING", "The server is stopping. Connect again.", {
    retryDelayMs: 1_000,
  });
}
