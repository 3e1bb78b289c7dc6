import * as http from "node:http";
import * as net from "node:net";
import { text } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { Refusal } from "@helix-zed/domain";
import { ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "@helix-zed/gen/google/rpc/status_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "@helix-zed/gen/health/v1/health_pb.ts";
import {
  GetTaskRequestSchema,
  GetTaskResponseSchema,
  TaskService,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { collect, failureOf, startTestServer, transports } from "./testing/test-server.ts";

const getTask = "/helix.task.v1.TaskService/GetTask";

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
}

/** Sends raw text and gives everything that comes back. */
async function raw(port: number, request: string): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.write(request);
  return text(socket);
}

interface Answer {
  readonly error: grpc.ServiceError | null;
  readonly response: Buffer | undefined;
}

/** One call with grpc-js, in bytes. */
function unary(client: grpc.Client, path: string, request: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, request, (error, response) => resolve({ error, response }));
  });
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

describe("a server", () => {
  test.each(Object.entries(transports))("gives the same answer over %s", async (_name, transport) => {
    await using server = await startTestServer({ getTask: ({ id }) => ({ task: { id, name: "größer" } }) });
    const client = createClient(TaskService, transport(server.url));
    expect((await client.getTask({ id: "tsk_1" })).task).toMatchObject({ id: "tsk_1", name: "größer" });
  });

  test("answers Connect's GET for calls without side effects", async () => {
    await using server = await startTestServer({ getTask: ({ id }) => ({ task: { id } }) });
    const transport = createConnectTransport({ baseUrl: server.url, httpVersion: "1.1", useHttpGet: true });
    expect((await createClient(TaskService, transport).getTask({ id: "tsk_1" })).task?.id).toBe("tsk_1");
  });

  test("answers grpc-js, and refuses it with a message that it can read", async () => {
    await using server = await startTestServer({
      getTask({ id }) {
        if (id === "tsk_1") return { task: { id } };
        throw new Refusal("TASK_NOT_FOUND", `There is no task: "${id}" (é, 100 %).`, { task: id });
      },
    });
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const call = async (id: string): Promise<{ error: grpc.ServiceError | null; found: string | undefined }> => {
      const request = Buffer.from(toBinary(GetTaskRequestSchema, create(GetTaskRequestSchema, { id })));
      const { error, response } = await unary(client, getTask, request);
      return { error, found: response && fromBinary(GetTaskResponseSchema, response).task?.id };
    };
    expect(await call("tsk_1")).toEqual({ error: null, found: "tsk_1" });
    const { error } = await call("tsk_2");
    expect(error).toMatchObject({ code: Code.NotFound, details: 'There is no task: "tsk_2" (é, 100 %).' });
    const [status] = error?.metadata.get("grpc-status-details-bin") ?? [];
    const detail = fromBinary(StatusSchema, Buffer.from(status ?? "")).details[0];
    expect(fromBinary(ErrorInfoSchema, detail?.value ?? new Uint8Array())).toMatchObject({ reason: "TASK_NOT_FOUND" });
    client.close();
  });

  test("compresses large answers where the caller takes gzip, and never with brotli", async () => {
    await using server = await startTestServer({ getTask: () => ({ task: { description: "x".repeat(20_000) } }) });
    for (const [offered, taken] of [
      ["gzip, br", "gzip"],
      ["br", null],
    ] as const) {
      const encoding = await new Promise((resolve) => {
        const headers = { "content-type": "application/json", "accept-encoding": offered };
        const request = http.request(server.url + getTask, { method: "POST", headers }, (response) => {
          resolve(response.headers["content-encoding"] ?? null);
          response.resume();
        });
        request.end('{"id":"a"}');
      });
      expect(encoding).toBe(taken);
    }
  });

  test("leaves what is no RPC to its fallback", async () => {
    await using server = await startTestServer(
      {},
      {
        fallback: (request, response) => {
          response.writeHead(200);
          response.end(`${request.method} ${request.url} ${String(request.headers["x-request-id"])}`);
        },
      },
    );
    const response = await fetch(`${server.url}/page?secret=1`, { headers: { "x-request-id": "r-1" } });
    expect(await response.text()).toBe("GET /page?secret=1 r-1");
    expect(server.lines).toContainEqual(expect.objectContaining({ msg: "request", path: "/page", status: 200 }));
    expect(JSON.stringify(server.lines)).not.toContain("secret");
  });

  test("survives a fallback that fails, at once or later", async () => {
    const failures = [
      () => {
        throw new Error("at once");
      },
      () => Promise.reject(new Error("later")),
    ];
    for (const fallback of failures) {
      await using server = await startTestServer({}, { fallback });
      const response = await fetch(`${server.url}/page`);
      expect([response.status, await response.json()]).toEqual([500, { code: "internal", message: "internal error" }]);
      expect(server.lines).toContainEqual(expect.objectContaining({ msg: "internal error" }));
    }
  });

  test("says so where there is nothing, to each client in its way", async () => {
    await using server = await startTestServer({});
    const response = await post(`${server.url}/helix.task.v1.TaskService/Nothing`, "{}");
    expect([response.status, await response.json()]).toEqual([
      404,
      { code: "unimplemented", message: "There is no such method: /helix.task.v1.TaskService/Nothing" },
    ]);
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const { error } = await unary(client, "/no.Such/Method", Buffer.alloc(0));
    expect(error).toMatchObject({ code: Code.Unimplemented, details: "There is no such method: /no.Such/Method" });
    client.close();
  });

  test.each([
    ["no host", `POST ${getTask} HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`],
    ["a malformed host", `POST ${getTask} HTTP/1.1\r\nhost: [\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`],
    ["no path", "POST * HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"],
  ])("survives a request with %s", async (_what, request) => {
    await using server = await startTestServer({ getTask: () => ({}) });
    expect(await raw(server.port, request)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await post(server.url + getTask, '{"id":"a"}')).status).toBe(200);
  });

  test("is not there if its port is taken", async () => {
    await using server = await startTestServer({});
    await expect(startTestServer({}, { port: server.port })).rejects.toThrow("is in use by another process");
  });
});

describe("a request id", () => {
  test("is taken from the caller and given back", async () => {
    await using server = await startTestServer({ getTask: () => ({}) });
    const response = await post(server.url + getTask, '{"id":"a"}', { "x-request-id": "trace:1.2_3-4" });
    expect(response.headers.get("x-request-id")).toBe("trace:1.2_3-4");
  });

  test.each([["with spaces and more"], ["x".repeat(129)], ['{"json":1}']])(
    "is made anew where it is %j",
    async (id) => {
      await using server = await startTestServer({ getTask: () => ({}) });
      const response = await post(server.url + getTask, '{"id":"a"}', { "x-request-id": id });
      expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
    },
  );

  test.each(Object.entries(transports))(
    "comes with every answer over %s, errors and streams too",
    async (_name, transport) => {
      await using server = await startTestServer({
        getTask: () => ({}),
        async *watchTasks() {
          yield {};
        },
      });
      const client = createClient(TaskService, transport(server.url));
      const ids: (string | null)[] = [];
      const onHeader = (headers: Headers): void => void ids.push(headers.get("x-request-id"));
      await client.getTask({ id: "a" }, { onHeader });
      await collect(client.watchTasks({}, { onHeader }));
      const error = await failureOf(client.getTask({}));
      ids.push(error.metadata.get("x-request-id"));
      expect(ids).toEqual([0, 1, 2].map(() => expect.stringMatching(/^req_/)));
    },
  );
});

describe("the log", () => {
  test("has one line for each call, whatever becomes of it", async () => {
    await using server = await startTestServer({
      getTask: () => ({}),
      async *watchTasks() {
        yield {};
        yield {};
      },
    });
    for (const transport of Object.values(transports)) {
      const client = createClient(TaskService, transport(server.url));
      await client.getTask({ id: "a" });
      await client.getTask({}).catch(() => {});
      await collect(client.watchTasks({}));
    }
    const calls = server.lines.filter(({ msg }) => msg === "call");
    expect(calls.map(({ method, code, reason, sent }) => [method, code, reason, sent])).toEqual(
      Object.keys(transports).flatMap(() => [
        ["helix.task.v1.TaskService/GetTask", "ok", undefined, 1],
        ["helix.task.v1.TaskService/GetTask", "InvalidArgument", "INVALID_REQUEST", 0],
        ["helix.task.v1.TaskService/WatchTasks", "ok", undefined, 2],
      ]),
    );
    expect(new Set(calls.map(({ requestId }) => requestId)).size).toBe(calls.length);
  });
});

describe("stopping", () => {
  test.each(Object.entries(transports))(
    "ends open watches over %s at once, with when to come back",
    async (_name, transport) => {
      await using server = await startTestServer({
        async *watchTasks() {
          yield { resumeToken: "1" };
          // Listens to nothing: it is ended all the same.
          await new Promise(() => {});
        },
      });
      const client = createClient(TaskService, transport(server.url));
      const watch = client.watchTasks({})[Symbol.asyncIterator]();
      await watch.next();
      const ended = failureOf(watch.next());
      const startedAt = Date.now();
      await server.close({ graceMs: 5_000 });
      const error = await ended;
      expect(Date.now() - startedAt).toBeLessThan(2_000);
      expect(error.code).toBe(Code.Unavailable);
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "SERVER_DRAINING" }]);
      expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    },
  );

  test.each(Object.entries(transports))("lets calls over %s finish", async (_name, transport) => {
    const arrived = Promise.withResolvers<AbortSignal>();
    const finish = Promise.withResolvers<void>();
    await using server = await startTestServer({
      async getTask(_request, { signal }) {
        arrived.resolve(signal);
        await finish.promise;
        return { task: { id: "done" } };
      },
    });
    const answer = createClient(TaskService, transport(server.url)).getTask({ id: "a" });
    const signal = await arrived.promise;
    const closed = server.close({ graceMs: 5_000 });
    expect(signal.aborted).toBe(false);
    finish.resolve();
    expect((await answer).task?.id).toBe("done");
    await closed;
  });

  test("tells calls that do not finish, and then their callers", async () => {
    const arrived = Promise.withResolvers<AbortSignal>();
    await using server = await startTestServer({
      async getTask(_request, { signal }) {
        arrived.resolve(signal);
        return new Promise<never>(() => {});
      },
    });
    const answer = post(server.url + getTask, '{"id":"a"}');
    const signal = await arrived.promise;
    await server.close({ graceMs: 500 });
    expect(signal.aborted).toBe(true);
    expect(await (await answer).json()).toMatchObject({
      code: "unavailable",
      details: [{ debug: { reason: "SERVER_DRAINING" } }, { debug: { retryDelay: "1s" } }],
    });
  });

  test("says NOT_SERVING to those who watch its health before they are cut off", async () => {
    await using server = await startTestServer({});
    const statuses: Serving[] = [];
    const watched = (async () => {
      const client = createClient(Health, createConnectTransport({ baseUrl: server.url, httpVersion: "2" }));
      for await (const { status } of client.watch({})) {
        statuses.push(status);
        if (status === Serving.SERVING) void server.close();
      }
    })();
    await expect(watched).rejects.toMatchObject({ code: Code.Unavailable });
    expect(statuses).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
  });
});
