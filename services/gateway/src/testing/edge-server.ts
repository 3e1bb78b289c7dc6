import { once } from "node:events";
import path from "node:path";
import { Code, type ConnectRouter, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { Refusal, systemWorld } from "@helix-zed/domain";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { createLog, serve, type Server } from "@helix-zed/server";
import { Edge } from "../edge/edge.ts";
import { StaticFiles } from "../edge/static-files.ts";
import { Upstream } from "../edge/upstream.ts";
import { Relay } from "./relay.ts";

/** The headers of a caller who is let in. */
export const goodToken = { authorization: "Bearer good" };

const log = createLog({ name: "test", level: "silent" });
const world = systemWorld();

/** What the two services behind a gateway under test do. */
export interface Behind {
  readonly tasks?: Partial<ServiceImpl<typeof TaskService>>;
  readonly threads?: Partial<ServiceImpl<typeof ZedThreadService>>;
  readonly corsOrigins?: readonly string[];
}

/** A gateway on a free port, before two services that are served as the real ones are. */
export interface EdgeServer extends AsyncDisposable {
  readonly url: string;
  readonly edge: Edge;
  /** The connection to the service that owns tasks. */
  readonly toTaskService: Relay;
}

/** Starts the services and the gateway before them. Only callers with the token "good" are let in. */
export async function startEdge({ tasks = {}, threads = {}, corsOrigins = [] }: Behind = {}): Promise<EdgeServer> {
  const taskService = await serveBehind((router) => router.service(TaskService, tasks));
  const bridge = await serveBehind((router) => router.service(ZedThreadService, threads));
  const toTaskService = await Relay.to(taskService.port);
  const upstreams = [
    new Upstream({ name: "task-service", baseUrl: urlOf(toTaskService), services: [TaskService] }),
    new Upstream({ name: "zed-bridge", baseUrl: urlOf(bridge), services: [ZedThreadService] }),
  ];
  const files = new StaticFiles(path.resolve(import.meta.dirname, "../../../../apps/dashboard"));
  const edge = new Edge({ upstreams, files, corsOrigins, log });
  const gateway = await serve({
    host: "127.0.0.1",
    port: 0,
    routes() {},
    authenticate() {
      throw new Error("the gateway authenticates nobody");
    },
    codes: {},
    fallback: (request, response) => edge.handle(request, response),
    log,
    world,
  });
  return {
    url: urlOf(gateway),
    edge,
    toTaskService,
    async [Symbol.asyncDispose]() {
      edge.drain();
      for (const upstream of upstreams) upstream.close();
      await toTaskService.cut();
      await Promise.all([gateway, taskService, bridge].map((server) => server.close({ graceMs: 20 })));
    },
  };
}

/** A watch that sends one event, and then nothing until it is over. */
export function watchedForever(begun: () => void): NonNullable<Behind["tasks"]> {
  return {
    async *watchTasks(_request, context: HandlerContext) {
      yield { resumeToken: "1" };
      begun();
      await untilAborted(context);
    },
  };
}

/** A task-service that begins to answer and never does. */
export function askedForever(begun: () => void): NonNullable<Behind["tasks"]> {
  return {
    async getTask(_request, context: HandlerContext) {
      begun();
      await untilAborted(context);
      return {};
    },
  };
}

/** Resolves when the call is over. */
export async function untilAborted({ signal }: HandlerContext): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function serveBehind(routes: (router: ConnectRouter) => void): Promise<Server> {
  return serve({
    host: "127.0.0.1",
    port: 0,
    routes,
    authenticate(headers) {
      if (headers.get("authorization") !== goodToken.authorization)
        throw new Refusal("TOKEN_UNKNOWN", "This token is not known.");
      return { actor: { kind: "user", userId: "ada" } };
    },
    codes: { TASK_NOT_FOUND: Code.NotFound },
    log,
    world,
  });
}

function urlOf(server: { readonly port: number }): string {
  return `http://127.0.0.1:${server.port}`;
}
