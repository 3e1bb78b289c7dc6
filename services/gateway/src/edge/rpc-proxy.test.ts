import { once } from "node:events";
import * as http from "node:http";
import { Code, ConnectError, createClient, type HandlerContext, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Refusal } from "@helix-zed/domain";
import { ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { describe, expect, test } from "vitest";
import { askedForever, goodToken as good, startEdge, untilAborted, watchedForever } from "../testing/edge-server.ts";

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  "gRPC over HTTP/2": (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web over HTTP/1.1": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  "Connect, JSON over HTTP/1.1": (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect, binary over HTTP/1.1": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect, binary over HTTP/2": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
  "Connect, GET": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useHttpGet: true }),
};

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
  if (failure === undefined) throw new Error("the call did not fail");
  return failure;
}

function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

describe.each(Object.entries(transports))("%s", (_name, transport) => {
  test("reaches the service that its path names", async () => {
    await using gateway = await startEdge({
      tasks: { getTask: ({ id }) => ({ task: { id, name: "größer" } }) },
      threads: { getZedThread: ({ workSessionId }) => ({ zedThread: { workSessionId } }) },
    });
    const tasks = createClient(TaskService, transport(gateway.url));
    expect((await tasks.getTask({ id: "tsk_1" }, { headers: good })).task).toMatchObject({ name: "größer" });
    const threads = createClient(ZedThreadService, transport(gateway.url));
    const { zedThread } = await threads.getZedThread({ workSessionId: "ws_1" }, { headers: good });
    expect(zedThread).toMatchObject({ workSessionId: "ws_1" });
  });

  test("brings errors back whole", async () => {
    await using gateway = await startEdge({
      tasks: {
        getTask({ id }) {
          throw new Refusal("TASK_NOT_FOUND", `There is no task "${id}" (100 %).`, { task: id });
        },
      },
    });
    const client = createClient(TaskService, transport(gateway.url));
    const error = await failureOf(client.getTask({ id: "tsk_1" }, { headers: good }));
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: 'There is no task "tsk_1" (100 %).' });
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: "TASK_NOT_FOUND",
      metadata: { task: "tsk_1" },
    });
  });

  test("is authenticated by the service and not here", async () => {
    await using gateway = await startEdge({ tasks: { getTask: () => ({}) } });
    const client = createClient(TaskService, transport(gateway.url));
    expect(await failureOf(client.getTask({ id: "x" }))).toMatchObject({ code: Code.Unauthenticated });
  });

  test("streams messages as they come, and is cancelled by its caller", async () => {
    const cancelled = Promise.withResolvers<void>();
    await using gateway = await startEdge({
      tasks: {
        async *watchTasks(_request, context: HandlerContext) {
          yield { resumeToken: "1" };
          yield { resumeToken: "2" };
          await untilAborted(context);
          cancelled.resolve();
        },
      },
    });
    const caller = new AbortController();
    const client = createClient(TaskService, transport(gateway.url));
    const seen: string[] = [];
    const watch = (async () => {
      for await (const { resumeToken } of client.watchTasks({}, { headers: good, signal: caller.signal })) {
        seen.push(resumeToken);
        if (resumeToken === "2") caller.abort();
      }
    })();
    await expect(watch).rejects.toThrow();
    expect(seen).toEqual(["1", "2"]);
    await cancelled.promise;
  });

  test("is told in its own words that the service is out of reach", async () => {
    await using gateway = await startEdge();
    await gateway.toTaskService.cut();
    const client = createClient(TaskService, transport(gateway.url));
    const unary = await failureOf(client.getTask({ id: "x" }, { headers: good }));
    const stream = await failureOf(drain(client.watchTasks({}, { headers: good })));
    for (const error of [unary, stream]) {
      expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "task-service is out of reach. Try again." });
      expect(reasonOf(error)).toBe("UPSTREAM_UNAVAILABLE");
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(1n);
    }
  });

  test("hears UNAVAILABLE when the service dies in the middle of a stream", async () => {
    const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
    await using gateway = await startEdge({ tasks: watchedForever(begun) });
    const client = createClient(TaskService, transport(gateway.url));
    const watch = failureOf(drain(client.watchTasks({}, { headers: good })));
    await hasBegun;
    await gateway.toTaskService.cut();
    const error = await watch;
    expect(error.code).toBe(Code.Unavailable);
    expect(reasonOf(error)).toBe("UPSTREAM_UNAVAILABLE");
  });

  test.each(["close", "reset"] as const)("hears UNAVAILABLE when the service dies unanswered (%s)", async (how) => {
    const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
    await using gateway = await startEdge({ tasks: askedForever(begun) });
    const client = createClient(TaskService, transport(gateway.url));
    const answer = failureOf(client.getTask({ id: "tsk_1" }, { headers: good }));
    await hasBegun;
    await gateway.toTaskService.cut(how);
    const error = await answer;
    expect(error.code).toBe(Code.Unavailable);
    expect(reasonOf(error)).toBe("UPSTREAM_UNAVAILABLE");
  });

  test("hears UNAVAILABLE when the gateway stops, and only streams do", async () => {
    const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using gateway = await startEdge({
      tasks: { ...watchedForever(begun), getTask: ({ id }) => released.then(() => ({ task: { id } })) },
    });
    const client = createClient(TaskService, transport(gateway.url));
    const answer = client.getTask({ id: "tsk_1" }, { headers: good });
    const watch = failureOf(drain(client.watchTasks({}, { headers: good })));
    await hasBegun;
    gateway.edge.drain();
    expect(reasonOf(await watch)).toBe("SERVER_DRAINING");
    expect(reasonOf(await failureOf(drain(client.watchTasks({}, { headers: good }))))).toBe("SERVER_DRAINING");
    release();
    expect((await answer).task?.id).toBe("tsk_1");
  });
});

describe("the proxy", () => {
  test("carries large messages both ways, however slowly they are read", async () => {
    const description = "x".repeat(3_000_000);
    await using gateway = await startEdge({
      tasks: {
        createTask: ({ description: given }) => ({ task: { description: given } }),
        async *watchTasks() {
          for (let index = 0; index < 20; index++) {
            yield { event: { case: "deleted", value: { resource: { case: "taskId", value: description } } } };
          }
        },
      },
    });
    const client = createClient(TaskService, createGrpcTransport({ baseUrl: gateway.url }));
    let seen = 0;
    for await (const { event } of client.watchTasks({}, { headers: good })) {
      await new Promise((resolve) => setImmediate(resolve));
      if (event.case === "deleted") seen += event.value.resource.value?.length ?? 0;
    }
    expect(seen).toBe(20 * description.length);
  });

  test("knows only the services that stand behind it", async () => {
    await using gateway = await startEdge();
    const grpc = await fetch(`${gateway.url}/no.Such/Thing`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
    });
    expect(grpc.headers.get("grpc-status")).toBe("12");
    expect((await fetch(`${gateway.url}/helix.task.v1.TaskService/GetTask/more`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/grpc.reflection.v1.Nothing/X`, { method: "POST" })).status).toBe(404);
  });

  test("passes no header on that belongs to one connection only", async () => {
    let seen = new Headers();
    await using gateway = await startEdge({
      tasks: {
        getTask(_request, context: HandlerContext) {
          seen = context.requestHeader;
          return {};
        },
      },
    });
    const port = Number(new URL(gateway.url).port);
    const request = http.request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/helix.task.v1.TaskService/GetTask",
      headers: {
        ...good,
        "content-type": "application/json",
        connection: "keep-alive, x-private",
        "x-private": "1",
        "x-public": "1",
      },
    });
    request.end('{"id":"x"}');
    const [response]: http.IncomingMessage[] = await once(request, "response");
    response?.resume();
    expect(response?.statusCode).toBe(200);
    expect(seen.get("x-public")).toBe("1");
    expect(seen.has("x-private")).toBe(false);
  });
});
