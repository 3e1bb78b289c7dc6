// Interceptors may hand on copies with something else in them. What they change must arrive, on the short path as with
// Connect's own handlers: each test runs on both.
import { create } from "@bufbuild/protobuf";
import {
  createClient,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { systemWorld } from "@helix-zed/domain";
import { GetTaskResponseSchema, TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { notFoundFallback } from "../fallback.ts";
import { createLog } from "../log.ts";
import { OnePort } from "../one-port.ts";
import { createRpcListener } from "../rpc-listener.ts";
import { collect, transports } from "../testing/test-server.ts";
import { recordSpecs } from "./record-specs.ts";
import { ShortPath } from "./short-path.ts";

const noteKey = createContextKey("nothing", { description: "note" });
const ended = AbortSignal.abort(new Error("by an interceptor"));

function facts({ requestHeader, values, signal, method, timeoutMs, url }: HandlerContext): string {
  const { pathname } = new URL(url);
  const seen = [requestHeader.get("x-asked"), requestHeader.get("x-added"), values.get(noteKey), signal.aborted];
  return JSON.stringify([...seen, method.name, timeoutMs() === undefined, pathname]);
}

const tasks: Partial<ServiceImpl<typeof TaskService>> = {
  getTask: (_request, context) => ({ task: { name: facts(context) } }),
  async *watchTasks(_request, context) {
    yield { resumeToken: facts(context) };
  },
};

const interceptors: Readonly<Record<string, Interceptor>> = {
  "changes nothing": (next) => (request) => next(request),
  copies: (next) => (request) => next({ ...request }),
  "adds a header in place": (next) => (request) => {
    request.header.set("x-added", "in place");
    return next(request);
  },
  "hands on other headers": (next) => (request) => next({ ...request, header: new Headers({ "x-added": "other" }) }),
  "hands on another signal": (next) => (request) => next({ ...request, signal: ended }),
  "hands on other values": (next) => (request) =>
    next({ ...request, contextValues: createContextValues().set(noteKey, "other") }),
  "sets a value": (next) => (request) => {
    request.contextValues.set(noteKey, "set");
    return next(request);
  },
  "answers by itself": (next) => async (request) => {
    const response = await next(request);
    if (response.stream) return response;
    return { ...response, message: create(GetTaskResponseSchema, { task: { name: "by itself" } }) };
  },
  "gives other headers and trailers": (next) => async (request) => {
    const response = await next(request);
    const [header, trailer] = [new Headers(response.header), new Headers(response.trailer)];
    header.set("x-given", "header");
    trailer.set("x-given-last", "trailer");
    return { ...response, header, trailer };
  },
};

async function start(interceptor: Interceptor, isShort: boolean): Promise<AsyncDisposable & { readonly url: string }> {
  const settings = validateUniversalHandlerOptions({ interceptors: [interceptor] });
  const log = createLog({ name: "test", level: "silent" });
  const { router, specs } = recordSpecs(createConnectRouter(settings));
  router.service(TaskService, tasks);
  const path = new ShortPath({ specs: isShort ? specs : [], settings, log, world: systemWorld() });
  const listener = createRpcListener({ router, fallback: (...asked) => void notFoundFallback(...asked), log });
  const onePort = new OnePort({
    takeStream: (stream, headers) => path.takeStream(stream, headers),
    handler: (request, response) => {
      if (!path.takeRequest(request, response)) listener(request, response);
    },
  });
  const port = await onePort.listen({ host: "127.0.0.1", port: 0 });
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void (await onePort.close(200)) };
}

/** What a caller is given by a unary call and by a stream. */
async function answers(url: string, transport: (typeof transports)[string]): Promise<unknown[]> {
  const client = createClient(TaskService, transport(url));
  const given: (string | null)[] = [];
  const options = {
    headers: { "x-asked": "1" },
    onHeader: (header: Headers) => void given.push(header.get("x-given")),
    onTrailer: (trailer: Headers) => void given.push(trailer.get("x-given-last")),
  };
  const { task } = await client.getTask({ id: "a" }, options);
  const messages = await collect(client.watchTasks({}, options));
  return [task?.name, messages.map(({ resumeToken }) => resumeToken), given];
}

describe.each(Object.entries(interceptors))("an interceptor that %s", (_what, interceptor) => {
  test.each(Object.entries(transports).filter(([name]) => !name.startsWith("gRPC-Web")))(
    "is heeded over %s as by Connect's own handlers",
    async (_name, transport) => {
      await using short = await start(interceptor, true);
      await using stock = await start(interceptor, false);
      expect(await answers(short.url, transport)).toEqual(await answers(stock.url, transport));
    },
  );
});
