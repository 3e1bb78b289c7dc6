import { Code, createClient } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import { collect, failureOf, startTestServer, transports } from "./testing/test-server.ts";

function notFound(): Refusal {
  const resource = { type: "Task", name: "tsk_1" };
  return new Refusal("TASK_NOT_FOUND", "There is no task: tsk_1, 100 % sure — é.", { task: "tsk_1" }, { resource });
}

describe.each(Object.entries(transports))("errors over %s", (_name, transport) => {
  test("a refusal keeps its words, its reason, its metadata and its resource", async () => {
    await using server = await startTestServer({
      getTask() {
        throw notFound();
      },
    });
    const error = await failureOf(createClient(TaskService, transport(server.url)).getTask({ id: "tsk_1" }));
    expect(error.code).toBe(Code.NotFound);
    expect(error.rawMessage).toBe("There is no task: tsk_1, 100 % sure — é.");
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: "TASK_NOT_FOUND", domain: "helix-zed", metadata: { task: "tsk_1" } },
    ]);
    expect(error.findDetails(ResourceInfoSchema)).toMatchObject([{ resourceType: "Task", resourceName: "tsk_1" }]);
  });

  test("a stream that fails after its first message gives that message and the mapped error", async () => {
    await using server = await startTestServer({
      async *watchTasks() {
        yield { resumeToken: "1" };
        throw new Refusal("TASKS_TOO_MANY", "Too many.", {}, { retryAfterMs: 1_500 });
      },
    });
    const received: { resumeToken: string }[] = [];
    const client = createClient(TaskService, transport(server.url));
    const error = await failureOf(collect(client.watchTasks({}), received));
    expect(received).toMatchObject([{ resumeToken: "1" }]);
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TASKS_TOO_MANY" }]);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n, nanos: 500_000_000 } }]);
  });

  test("a stream that fails before its first message gives the mapped error", async () => {
    await using server = await startTestServer({
      watchTasks() {
        throw notFound();
      },
    });
    const error = await failureOf(collect(createClient(TaskService, transport(server.url)).watchTasks({})));
    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TASK_NOT_FOUND" }]);
  });

  test("whatever nobody expected is an internal error that says only what to quote", async () => {
    await using server = await startTestServer({
      getTask() {
        throw new Error("password=hunter2");
      },
      async *watchTasks() {
        yield { resumeToken: "1" };
        throw new TypeError("password=hunter2");
      },
    });
    const client = createClient(TaskService, transport(server.url));
    const headers = { "x-request-id": "my-request" };
    const calls = [() => client.getTask({ id: "a" }, { headers }), () => collect(client.watchTasks({}, { headers }))];
    for (const call of calls) {
      const error = await failureOf(call());
      expect(error.code).toBe(Code.Internal);
      expect(error.rawMessage).toBe("internal error");
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "INTERNAL", domain: "helix-zed" }]);
      expect(error.findDetails(RequestInfoSchema)).toMatchObject([{ requestId: "my-request" }]);
      expect(JSON.stringify(error)).not.toContain("hunter2");
    }
    const logged = server.lines.filter(({ msg }) => msg === "internal error");
    expect(logged).toMatchObject([
      { requestId: "my-request", err: { message: "password=hunter2" } },
      { requestId: "my-request", err: { type: "TypeError" } },
    ]);
  });

  test("an invalid request lists every violation, by the path of the field", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const client = createClient(TaskService, transport(server.url));
    const workSessions = [{ name: "ok" }, { name: "" }];
    const error = await failureOf(client.createTask({ name: "", priority: 5_000, workSessions }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "INVALID_REQUEST" }]);
    const fields = error.findDetails(BadRequestSchema)[0]?.fieldViolations;
    expect(fields?.map(({ field, description }) => [field, description])).toEqual([
      ["name", "must not be empty"],
      ["task_type", "must be given"],
      ["priority", "must be greater than or equal to -1000 and less than or equal to 1000"],
      ["work_sessions[1].name", "must not be empty"],
    ]);
  });

  test("an invalid request for a stream is refused alike", async () => {
    await using server = await startTestServer({
      async *watchTasks() {
        yield {};
      },
    });
    const client = createClient(TaskService, transport(server.url));
    const error = await failureOf(collect(client.watchTasks({ taskIds: ["", "ok", ""] })));
    expect(error.code).toBe(Code.InvalidArgument);
    const fields = error.findDetails(BadRequestSchema)[0]?.fieldViolations;
    expect(fields?.map(({ field }) => field)).toEqual(["task_ids[0]", "task_ids[2]"]);
  });

  test("a method that is declared but not built is UNIMPLEMENTED, with a reason", async () => {
    await using server = await startTestServer({});
    const error = await failureOf(createClient(TaskService, transport(server.url)).getTask({ id: "a" }));
    expect(error.code).toBe(Code.Unimplemented);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "NOT_IMPLEMENTED" }]);
  });

  test("a message that is too large is RESOURCE_EXHAUSTED, with a reason", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const client = createClient(TaskService, transport(server.url));
    const error = await failureOf(client.createTask({ name: "a", description: "x".repeat(5 * 1024 * 1024) }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "MESSAGE_TOO_LARGE" }]);
  });

  test("an error with more to say than a trailer holds still arrives", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const client = createClient(TaskService, transport(server.url));
    const workSessions = Array.from({ length: 50 }, () => ({ name: "", agentType: "Ä".repeat(1_000) }));
    const error = await failureOf(client.createTask({ name: "", workSessions }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations.length).toBeGreaterThanOrEqual(40);
  });
});

describe("errors", () => {
  test("a reason that has no code is a bug", async () => {
    await using server = await startTestServer({
      getTask() {
        throw new Refusal("NEVER_HEARD_OF", "secret words");
      },
    });
    const transport = Object.values(transports)[0];
    const error = await failureOf(createClient(TaskService, transport!(server.url)).getTask({ id: "a" }));
    expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  });

  test("an error of another service is not passed on", async () => {
    await using upstream = await startTestServer({
      getTask() {
        throw notFound();
      },
    });
    for (const [, transport] of Object.entries(transports)) {
      await using server = await startTestServer({
        async getTask() {
          return createClient(TaskService, transport(upstream.url)).getTask({ id: "tsk_1" });
        },
      });
      const error = await failureOf(createClient(TaskService, transport(server.url)).getTask({ id: "tsk_1" }));
      expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
    }
  });
});

describe("what cannot be parsed", () => {
  const path = "/helix.task.v1.TaskService/CreateTask";

  test.each([
    [
      "an unknown enum value",
      '{"taskType":"NONSENSE"}',
      'cannot decode enum helix.task.v1.TaskType from JSON: "NONSENSE"',
    ],
    [
      "a wrong type",
      '{"name":5}',
      "cannot decode field helix.task.v1.CreateTaskRequest.name from JSON: expected string, got 5",
    ],
    ["an unknown field", '{"nmae":"a"}', 'key "nmae" is unknown'],
    ["broken JSON", '{"name"', "cannot decode message helix.task.v1.CreateTaskRequest from JSON: "],
    ["no object", "[]", "cannot decode message helix.task.v1.CreateTaskRequest from JSON: "],
  ])("%s in JSON is an invalid argument that says what is wrong", async (_what, body, message) => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(message),
      details: [{ type: "google.rpc.ErrorInfo", debug: { reason: "INVALID_REQUEST", domain: "helix-zed" } }],
    });
  });

  test("what is no Protobuf message is an invalid argument", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/proto" },
      body: Buffer.alloc(5, 0xff),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      message: "The request is not a valid Protobuf message.",
    });
  });

  test("what is no base64 in a GET is an invalid argument", async () => {
    await using server = await startTestServer({ getTask: () => ({}) });
    const url = new URL("/helix.task.v1.TaskService/GetTask?connect=v1&encoding=proto&base64=1&message=*", server.url);
    const response = await fetch(url);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      details: [{ debug: { reason: "INVALID_REQUEST" } }],
    });
  });

  test("half a surrogate pair that is quoted back does not break the answer", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: String.raw`{"taskType":"\ud800"}`,
    });
    expect(response.status).toBe(400);
  });

  test("a wrong content-type is told which are right", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const response = await fetch(server.url + path, { method: "POST", body: "{}" });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining("application/json") });
  });

  test("a wrong HTTP method is told which is right", async () => {
    await using server = await startTestServer({ createTask: () => ({}) });
    const response = await fetch(server.url + path, { method: "PUT", body: "{}" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });
});
