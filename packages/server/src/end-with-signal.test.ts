import { once } from "node:events";
import * as http2 from "node:http2";
import { Code, createClient, type HandlerContext } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { collect, failureOf, startTestServer, type TestServer, transports } from "./testing/test-server.ts";

/** A server whose calls never end by themselves; gives the signal of each call that arrives. */
async function startEndless(listens: boolean): Promise<TestServer & { arrived: Promise<AbortSignal> }> {
  const arrived = Promise.withResolvers<AbortSignal>();
  const forever = async ({ signal }: HandlerContext): Promise<void> => {
    arrived.resolve(signal);
    await new Promise<void>((resolve) => {
      if (listens) signal.addEventListener("abort", () => resolve(), { once: true });
    });
    signal.throwIfAborted();
  };
  const server = await startTestServer({
    async getTask(_request, context) {
      await forever(context);
      return {};
    },
    async *watchTasks(_request, context) {
      yield { resumeToken: "1" };
      await forever(context);
    },
  });
  return Object.assign(server, { arrived: arrived.promise });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

describe.each(Object.entries(transports))("a deadline over %s", (_name, transport) => {
  test.each([
    ["that listens to its signal", true],
    ["that does not listen", false],
  ])("reaches a handler %s, and the caller is answered", async (_what, listens) => {
    for (const method of ["getTask", "watchTasks"] as const) {
      await using server = await startEndless(listens);
      const client = createClient(TaskService, transport(server.url));
      const options = { timeoutMs: 150 };
      const call =
        method === "getTask" ? client.getTask({ id: "a" }, options) : collect(client.watchTasks({}, options));
      const error = await failureOf(call);
      expect(error.code).toBe(Code.DeadlineExceeded);
      await aborted(await server.arrived);
    }
  });
});

describe.each(Object.entries(transports))("a cancellation over %s", (_name, transport) => {
  test.each(["getTask", "watchTasks"] as const)("reaches the handler of %s", async (method) => {
    await using server = await startEndless(true);
    const client = createClient(TaskService, transport(server.url));
    const controller = new AbortController();
    const { signal } = controller;
    const call =
      method === "getTask" ? client.getTask({ id: "a" }, { signal }) : collect(client.watchTasks({}, { signal }));
    const failed = expect(call).rejects.toThrow();
    const seen = await server.arrived;
    controller.abort();
    await aborted(seen);
    await failed;
  });
});

describe("a call", () => {
  test("that outlives its deadline is answered by the server itself, with a reason", async () => {
    await using server = await startEndless(false);
    const response = await fetch(`${server.url}/helix.task.v1.TaskService/GetTask`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": "50" },
      body: '{"id":"a"}',
    });
    expect(await response.json()).toMatchObject({
      code: "deadline_exceeded",
      details: [{ debug: { reason: "DEADLINE_EXCEEDED" } }],
    });
  });

  test("that is no stream ends after the longest time allowed, also without a deadline", async () => {
    const never = new Promise<never>(() => {});
    await using server = await startTestServer({ getTask: () => never }, { unaryTimeoutMs: 50 });
    for (const transport of Object.values(transports)) {
      const error = await failureOf(createClient(TaskService, transport(server.url)).getTask({ id: "a" }));
      expect(error.code).toBe(Code.DeadlineExceeded);
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "DEADLINE_EXCEEDED" }]);
    }
  });

  test("whose connection is cut is over for its handler", async () => {
    await using server = await startEndless(true);
    const session = http2.connect(server.url).on("error", () => {});
    const stream = session.request({
      ":method": "POST",
      ":path": "/helix.task.v1.TaskService/WatchTasks",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {}).end(Buffer.alloc(5));
    const signal = await server.arrived;
    session.destroy();
    await aborted(signal);
  });

  test("that asks for more than a day is refused", async () => {
    await using server = await startTestServer({ getTask: () => ({}) });
    const response = await fetch(`${server.url}/helix.task.v1.TaskService/GetTask`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": String(25 * 3600 * 1000) },
      body: '{"id":"a"}',
    });
    expect(await response.json()).toMatchObject({ code: "invalid_argument" });
  });
});
