import * as http2 from "node:http2";
import type * as net from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { tokenAuthenticator } from "./authenticate.ts";
import { actorOf } from "./call.ts";
import { actingFor, createServiceTransport } from "./service-transport.ts";
import { collect, failureOf, startTestServer, type TestServer } from "./testing/test-server.ts";
import { hashToken } from "./token-list.ts";
import { UpstreamError } from "./upstream-error.ts";

const authenticate = tokenAuthenticator([
  { sha256: hashToken("token"), owner: { kind: "service", name: "zed-bridge", roles: ["runner"] } },
]);

function transportTo({ url }: Pick<TestServer, "url">, token = "token") {
  return createServiceTransport({ upstream: "task-service", baseUrl: url, token });
}

async function upstreamErrorOf(call: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  if (error instanceof UpstreamError) return error;
  throw new Error("The call did not fail with an UpstreamError.", { cause: error });
}

describe("a call to another service", () => {
  test("carries our token and whom we act for", async () => {
    await using server = await startTestServer(
      { getTask: (_request, context) => ({ task: { name: JSON.stringify(actorOf(context)) } }) },
      { authenticate },
    );
    const client = createClient(TaskService, transportTo(server));
    const ours = { kind: "service", name: "zed-bridge", roles: ["runner"] };
    expect(JSON.parse((await client.getTask({ id: "a" })).task?.name ?? "")).toEqual(ours);
    const ada = { userId: "ada", organizationId: "acme" };
    const { task } = await client.getTask({ id: "a" }, actingFor({ kind: "user", ...ada }));
    expect(JSON.parse(task?.name ?? "")).toEqual({ ...ours, actsFor: ada });
  });

  test("names a user without an organization alone, and nobody for a runner", () => {
    expect(actingFor({ kind: "user", userId: "ada" })).toEqual({ headers: { "helix-user-id": "ada" } });
    expect(actingFor({ kind: "service", name: "zed-bridge", roles: ["runner"] })).toEqual({});
  });

  test("that is refused fails with the code, the reason and when to come back", async () => {
    await using server = await startTestServer({ getTask: refuse, watchTasks: refuse });
    const client = createClient(TaskService, transportTo(server));
    for (const call of [() => client.getTask({ id: "a" }), () => collect(client.watchTasks({}))]) {
      const error = await upstreamErrorOf(call());
      expect(error).toMatchObject({
        upstream: "task-service",
        code: Code.ResourceExhausted,
        reason: "TASKS_TOO_MANY",
        metadata: { limit: "5" },
        retryAfterMs: 250,
        isTransient: false,
      });
    }
  });

  test("that fails in the middle of a stream gives what came before", async () => {
    await using server = await startTestServer({
      async *watchTasks() {
        yield { resumeToken: "1" };
        throw new Refusal("TASKS_TOO_MANY", "Too many.");
      },
    });
    const received: { resumeToken: string }[] = [];
    const error = await upstreamErrorOf(
      collect(createClient(TaskService, transportTo(server)).watchTasks({}), received),
    );
    expect(received).toMatchObject([{ resumeToken: "1" }]);
    expect(error.reason).toBe("TASKS_TOO_MANY");
  });

  test("with a wrong token fails with that reason", async () => {
    await using server = await startTestServer({}, { authenticate });
    const error = await upstreamErrorOf(createClient(TaskService, transportTo(server, "wrong")).getTask({ id: "a" }));
    expect(error).toMatchObject({ code: Code.Unauthenticated, reason: "TOKEN_UNKNOWN" });
  });

  test("to nobody is transient, and succeeds when somebody listens again", async () => {
    const first = await startTestServer({ getTask: () => ({}) });
    const client = createClient(TaskService, transportTo(first));
    await client.getTask({ id: "a" });
    await first.close();
    const error = await upstreamErrorOf(client.getTask({ id: "a" }));
    expect(error).toMatchObject({ code: Code.Unavailable, reason: null, isTransient: true });
    await using second = await startTestServer({ getTask: () => ({}) }, { port: first.port });
    expect(second.port).toBe(first.port);
    await client.getTask({ id: "a" });
  });

  test("that loses its connection before the answer is transient", async () => {
    const server = http2.createServer();
    const sockets: net.Socket[] = [];
    server.on("connection", (socket: net.Socket) => sockets.push(socket));
    server.on("stream", () => sockets.splice(0).forEach((socket) => socket.end()));
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address: net.AddressInfo | string | null = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const client = createClient(TaskService, transportTo({ url: `http://127.0.0.1:${port}` }));
    const error = await upstreamErrorOf(client.getTask({ id: "a" }));
    server.close();
    expect(error).toMatchObject({ code: Code.Unavailable, reason: null, isTransient: true });
  });

  test("that fails within a call of ours is shown as no more than out of reach, or an internal error", async () => {
    await using upstream = await startTestServer({
      getTask() {
        throw new Refusal("TASK_NOT_FOUND", "Not to be shown.");
      },
    });
    await using server = await startTestServer({
      getTask: (request) => createClient(TaskService, transportTo(upstream)).getTask(request),
    });
    const client = createClient(TaskService, transportTo(server));
    expect(await failureOf(client.getTask({ id: "a" }).catch(causeOf))).toMatchObject({ rawMessage: "internal error" });
    await upstream.close();
    const error = await upstreamErrorOf(client.getTask({ id: "a" }));
    expect(error).toMatchObject({ code: Code.Unavailable, reason: "UPSTREAM_UNAVAILABLE", retryAfterMs: 1_000 });
    expect(error.message).toContain("task-service cannot be reached at the moment.");
  });
});

function refuse(): never {
  throw new Refusal("TASKS_TOO_MANY", "Too many.", { limit: "5" }, { retryAfterMs: 250 });
}

function causeOf(error: unknown): never {
  throw error instanceof Error ? error.cause : error;
}
