// One server of tests/load/rpc.ts, in a process of its own
//
//    node --expose-gc rpc-contestant.ts raw | grpc-js | connect | bare | full
//
//   raw       node:http2 and protobuf-es, and nothing else: no deadlines, no errors, no limits
//   grpc-js   the server of @grpc/grpc-js with the same codec
//   connect   connect-node as it comes
//   bare      the short path without interceptors, gate and log
//   full      all that a service has: a token, interceptors, validation, a line in the log for each call
//
// All answer GetTask with the same task and serve WatchTasks, on which each `publish` over IPC sends one message. They say
// their port over IPC, and answer `memory` with what they hold after a collection.

import * as http2 from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { systemWorld } from "@helix-zed/domain";
import { TaskSchema, TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import {
  type GetTaskRequest,
  GetTaskRequestSchema,
  type GetTaskResponse,
  GetTaskResponseSchema,
  TaskService,
  type WatchTasksResponse,
  WatchTasksResponseSchema,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { createLog } from "../../../packages/server/src/log.ts";
import { OnePort } from "../../../packages/server/src/one-port.ts";
import { serve } from "../../../packages/server/src/serve.ts";
import { recordSpecs } from "../../../packages/server/src/short-path/record-specs.ts";
import { ShortPath } from "../../../packages/server/src/short-path/short-path.ts";
import { tokenAuthenticator } from "../../../packages/server/src/authenticate.ts";
import { hashToken } from "../../../packages/server/src/token-list.ts";

const GET = "/helix.task.v1.TaskService/GetTask";
const WATCH = "/helix.task.v1.TaskService/WatchTasks";
const host = "127.0.0.1";

function answer({ id }: GetTaskRequest): GetTaskResponse {
  const task = {
    id,
    name: "Implement authentication",
    description: "Users can log in, and stay logged in. ".repeat(8),
    taskType: TaskType.BATCH,
    status: TaskStatus.PENDING,
    userId: "ada",
    projectPath: "/work/project",
    coordinatorSessionId: "ses_0193a5f0c5b27f0e8f6f8d1c2b3a4d5e",
    etag: '"1"',
    createdAt: { seconds: 1_700_000_000n, nanos: 1_000 },
    updatedAt: { seconds: 1_700_000_000n, nanos: 1_000 },
  };
  return create(GetTaskResponseSchema, { task });
}

function news(): WatchTasksResponse {
  const task = create(TaskSchema, answer(create(GetTaskRequestSchema, { id: "tsk_1" })).task);
  const event = { case: "changed", value: { resource: { case: "task", value: task } } } as const;
  return create(WatchTasksResponseSchema, { resumeToken: "x".repeat(80), event });
}

/** Those who watch, for servers that push. */
const watchers = new Set<(message: WatchTasksResponse) => void>();
/** The same for handlers that wait. */
let next = Promise.withResolvers<WatchTasksResponse>();

function publish(): void {
  const message = news();
  for (const watcher of watchers) watcher(message);
  const waiting = next;
  next = Promise.withResolvers();
  waiting.resolve(message);
}

const implementation: Partial<ServiceImpl<typeof TaskService>> = {
  getTask: (request) => Promise.resolve(answer(request)),
  async *watchTasks() {
    for (;;) yield await next.promise;
  },
};

const routes = (router: ConnectRouter): unknown => router.service(TaskService, implementation);

function enveloped(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}

const sharedFrames = new WeakMap<WatchTasksResponse, Buffer>();

function sharedFrame(message: WatchTasksResponse): Buffer {
  const frame = sharedFrames.get(message) ?? enveloped(toBinary(WatchTasksResponseSchema, message));
  sharedFrames.set(message, frame);
  return frame;
}

function rawStream(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  const pieces: Buffer[] = [];
  stream.on("error", () => {});
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("end", () => {
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const [first = Buffer.alloc(0)] = pieces;
    const body = pieces.length === 1 ? first : Buffer.concat(pieces);
    if (headers[":path"] === GET) {
      const response = answer(fromBinary(GetTaskRequestSchema, body.subarray(5)));
      stream.end(enveloped(toBinary(GetTaskResponseSchema, response)));
    } else {
      const watcher = (message: WatchTasksResponse): void => void stream.write(sharedFrame(message));
      watchers.add(watcher);
      stream.once("close", () => watchers.delete(watcher));
    }
  });
}

const requestDeserialize = (bytes: Buffer): GetTaskRequest => fromBinary(GetTaskRequestSchema, bytes);
const serializeTask = (message: GetTaskResponse): Buffer => Buffer.from(toBinary(GetTaskResponseSchema, message));
const serializeNews = (message: WatchTasksResponse): Buffer => Buffer.from(toBinary(WatchTasksResponseSchema, message));

function grpcServer(): grpc.Server {
  const server = new grpc.Server();
  const common = { originalName: "", requestSerialize: asIs, responseDeserialize: asIs, requestStream: false } as const;
  const get = { ...common, path: GET, responseStream: false, requestDeserialize, responseSerialize: serializeTask };
  const watch = { ...common, path: WATCH, responseStream: true, requestDeserialize: asIs };
  server.addService(
    { get, watch: { ...watch, responseSerialize: serializeNews } },
    {
      get(
        call: grpc.ServerUnaryCall<GetTaskRequest, GetTaskResponse>,
        done: grpc.sendUnaryData<GetTaskResponse>,
      ): void {
        done(null, answer(call.request));
      },
      watch(call: grpc.ServerWritableStream<Buffer, WatchTasksResponse>): void {
        const watcher = (message: WatchTasksResponse): void => void call.write(message);
        watchers.add(watcher);
        call.sendMetadata(new grpc.Metadata());
        call.on("cancelled", () => watchers.delete(watcher));
      },
    },
  );
  return server;
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

async function listen(server: http2.Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

const contestants: Readonly<Record<string, () => Promise<number>>> = {
  raw: () => {
    const server = http2.createServer({ settings: { maxConcurrentStreams: 1_000 } });
    server.on("stream", rawStream);
    return listen(server);
  },
  "grpc-js": () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const report = (error: Error | null, port: number): void => (error === null ? resolve(port) : reject(error));
    grpcServer().bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), report);
    return promise;
  },
  connect: () => listen(http2.createServer(connectNodeAdapter({ routes }))),
  bare: () => {
    const settings = validateUniversalHandlerOptions({});
    const { router, specs } = recordSpecs(createConnectRouter(settings));
    routes(router);
    const log = createLog({ name: "bare", level: "silent" });
    const path = new ShortPath({ specs, settings, log, world: systemWorld() });
    const takeStream = path.takeStream.bind(path);
    return new OnePort({ takeStream, handler: (_request, response) => void response.end() }).listen({ host, port: 0 });
  },
  full: async () => {
    const known = {
      name: "ada",
      sha256: hashToken("token-of-ada"),
      owner: { kind: "user", name: "ada", userId: "ada" },
    } as const;
    const authenticate = tokenAuthenticator([known]);
    const log = createLog({ name: "full", level: "info" });
    const options = { host, port: 0, routes, authenticate, codes: {}, log, world: systemWorld() };
    return (await serve(options)).port;
  },
};

process.on("message", (asked) => {
  if (asked === "publish") publish();
  if (asked !== "memory") return;
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapKb: heapUsed / 1_024, externalKb: external / 1_024, residentKb: rss / 1_024 });
});
process.once("disconnect", () => process.exit());
process.send?.({ port: await contestants[process.argv[2] ?? ""]?.() });
