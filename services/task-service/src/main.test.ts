import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { credentials, makeGenericClientConstructor, Metadata, type ServiceError } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { Health } from "@helix-zed/gen/health/v1/health_pb.ts";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import {
  GetTaskRequestSchema,
  GetTaskResponseSchema,
  TaskService,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { OnTurnEnd, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { taskStatuses, wordOf } from "./transport/wire-enums.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ services: ["task-service"] });
});
afterAll(() => cluster.stop());

type Holder = "local" | "other" | "zed-bridge";

function transportOf(protocol: string, holder: Holder | null): Transport {
  const baseUrl = cluster.taskUrl;
  const authorize: Interceptor = (next) => (request) => {
    if (holder !== null) request.header.set("authorization", `Bearer ${cluster.token(holder)}`);
    return next(request);
  };
  const interceptors = [authorize];
  if (protocol === "gRPC") return createGrpcTransport({ baseUrl, interceptors });
  if (protocol === "gRPC-Web over HTTP/1.1")
    return createGrpcWebTransport({ baseUrl, httpVersion: "1.1", interceptors });
  return createConnectTransport({ baseUrl, httpVersion: protocol.includes("1.1") ? "1.1" : "2", interceptors });
}

function clients(holder: Holder | null = "local", protocol = "Connect over HTTP/2") {
  const transport = transportOf(protocol, holder);
  return {
    tasks: createClient(TaskService, transport),
    sessions: createClient(WorkSessionService, transport),
    runners: createClient(RunnerService, transport),
    health: createClient(Health, transport),
  };
}

const aTask = { name: "Add search", description: "Full text.", taskType: TaskType.BATCH };

/** Makes a task with one session, and gives the ids of both. */
async function makeTask() {
  const { tasks, sessions } = clients();
  const { task } = await tasks.createTask(aTask);
  const { workSessions } = await sessions.listWorkSessions({ taskId: task?.id ?? "" });
  return { taskId: task?.id ?? "", sessionId: workSessions[0]?.id ?? "" };
}

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const outcome = await call.then(
    () => new Error("The call succeeded."),
    (error: unknown) => error,
  );
  return ConnectError.from(outcome);
}

function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

describe.each(["Connect over HTTP/2", "Connect over HTTP/1.1", "gRPC", "gRPC-Web over HTTP/1.1"])(
  "over %s",
  (protocol) => {
    test("a task is created, claimed, worked on and completed, watched all the way", async () => {
      const { tasks, sessions } = clients("local", protocol);
      const { sessions: theirs, runners } = clients("zed-bridge", protocol);
      const { task } = await tasks.createTask({ ...aTask, projectPath: "/work/shop", config: { a: [1, "b"] } });
      expect(task).toMatchObject({ status: TaskStatus.PENDING, config: { a: [1, "b"] }, etag: '"1"', userId: "local" });
      const taskId = task?.id ?? "";
      const [session] = (await sessions.listWorkSessions({ taskId })).workSessions;
      const id = session?.id ?? "";

      const seen: string[] = [];
      const watched = (async () => {
        for await (const { event } of tasks.watchTasks({ taskIds: [taskId] })) {
          if (event.case !== "changed") seen.push(event.case ?? "nothing");
          else if (event.value.resource.case === "task")
            seen.push(wordOf(taskStatuses, event.value.resource.value.status) ?? "");
          if (event.case === "synced") await work();
        }
      })();
      async function work(): Promise<void> {
        const claim = await runners.claimWorkSession({ id, runner: "bridge" });
        expect(claim).toMatchObject({
          firstPrompt: "Full text.",
          projectPath: "/work/shop",
          onTurnEnd: OnTurnEnd.COMPLETE,
        });
        const leaseEpoch = claim.workSession?.lease?.epoch ?? 0n;
        await theirs.updateWorkSessionStatus({ id, status: WorkSessionStatus.ACTIVE, leaseEpoch });
        const renewed = await runners.renewLeases({
          runner: "bridge",
          leases: [{ workSessionId: id, epoch: leaseEpoch }],
        });
        expect(renewed).toMatchObject({ renewedIds: [id], lostIds: [] });
        const result = { summary: "It is found." };
        await theirs.updateWorkSessionStatus({ id, status: WorkSessionStatus.COMPLETED, leaseEpoch, result });
      }
      await watched;
      expect(seen.filter((word) => word !== "progress")).toEqual(["pending", "synced", "active", "completed"]);
      const { workSession } = await sessions.getWorkSession({ id });
      expect(workSession).toMatchObject({ status: WorkSessionStatus.COMPLETED, result: { summary: "It is found." } });
    });

    test("what does not exist and what is another's are one answer", async () => {
      const { taskId } = await makeTask();
      const { tasks } = clients("other", protocol);
      const absent = `tsk_${"0".repeat(32)}`;
      const errors = await Promise.all([taskId, absent].map((id) => refusal(tasks.getTask({ id }))));
      for (const error of errors) {
        expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "There is no such task." });
        expect(reasonOf(error)).toBe("TASK_NOT_FOUND");
      }
    });
  },
);

describe("over grpc-js", () => {
  const GetTask = makeGenericClientConstructor(
    {
      getTask: {
        path: "/helix.task.v1.TaskService/GetTask",
        requestStream: false,
        responseStream: false,
        requestSerialize: (id: string) =>
          Buffer.from(toBinary(GetTaskRequestSchema, create(GetTaskRequestSchema, { id }))),
        requestDeserialize: (bytes: Buffer) => fromBinary(GetTaskRequestSchema, bytes).id,
        responseSerialize: () => Buffer.alloc(0),
        responseDeserialize: (bytes: Buffer) => fromBinary(GetTaskResponseSchema, bytes),
      },
    },
    "TaskService",
  );

  function getTask(id: string): Promise<unknown> {
    const client = new GetTask(new URL(cluster.taskUrl).host, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${cluster.token("local")}`);
    return new Promise((resolve, reject) => {
      client["getTask"]?.(id, metadata, (error: ServiceError | null, answer: unknown) => {
        client.close();
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }

  test("a task can be read, and what is absent is NOT_FOUND", async () => {
    const { taskId } = await makeTask();
    expect(await getTask(taskId)).toMatchObject({ task: { id: taskId, status: TaskStatus.PENDING } });
    await expect(getTask("tsk_none")).rejects.toMatchObject({ code: 5, details: "There is no such task." });
  });
});

describe("bad input", () => {
  const deep = { a: Array.from({ length: 40 }).reduce<object>((inner) => ({ inner }), {}) };
  test.each<[string, object, string | RegExp, string?]>([
    [
      "an unknown kind of agent",
      { workSessions: [{ name: "a", agentType: "nobody" }] },
      "work_sessions[0].agent_type",
      "AGENT_TYPE_UNKNOWN",
    ],
    ["two sessions of one name", { workSessions: [{ name: "a" }, { name: "a" }] }, "work_sessions[1].name"],
    ["a relative path", { projectPath: "shop" }, "project_path"],
    ["a path with a way up", { projectPath: "/work/../etc" }, "project_path"],
    ["a NUL character", { description: "a\0b" }, "description"],
    ["a NUL character deep in the settings", { config: { a: [{ b: "\0" }] } }, 'config["a"][0]["b"]'],
    ["too many settings", { config: { a: "x".repeat(17_000) } }, "config"],
    ["settings that are nested too deep", { config: deep }, "config"],
    ["no name", { name: "" }, "name"],
    ["an unknown type", { taskType: 99 }, "task_type"],
    ["a request id that is no UUID", { requestId: randomUUID().slice(1) }, "request_id"],
    [
      "a path of a session that is relative",
      { workSessions: [{ name: "a", environmentConfig: { projectPath: "x" } }] },
      "work_sessions[0].environment_config.project_path",
    ],
  ])("is refused with the field that is wrong: %s", async (_name, wrong, field, reason) => {
    const error = await refusal(clients().tasks.createTask({ ...aTask, ...wrong }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations.map((violation) => violation.field)).toEqual([
      field,
    ]);
    if (reason !== undefined) expect(reasonOf(error)).toBe(reason);
  });

  test("is refused with everything that is wrong at once, and names what is allowed", async () => {
    const workSessions = [{ name: "a", agentType: "nobody" }];
    const wrong = { name: "", description: "\0", projectPath: "x", workSessions };
    const error = await refusal(clients().tasks.createTask({ ...aTask, ...wrong }));
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toHaveLength(4);
    expect(error.rawMessage).toContain("zed_claude_code");
  });

  test("of other calls is refused as clearly", async () => {
    const { tasks, sessions, runners } = { ...clients(), runners: clients("zed-bridge").runners };
    const { taskId, sessionId } = await makeTask();
    const codes = await Promise.all(
      [
        tasks.getTask({ id: "\0" }),
        tasks.updateTaskStatus({ id: taskId, status: TaskStatus.PENDING }),
        tasks.updateTaskStatus({ id: taskId, status: TaskStatus.ACTIVE, etag: "7" }),
        tasks.listTasks({ pageToken: "?" }),
        sessions.updateWorkSessionStatus({ id: sessionId, status: WorkSessionStatus.BLOCKED }),
        runners.renewLeases({ runner: "r", leases: [{ workSessionId: sessionId, epoch: 0n }] }),
      ].map(async (call) => (await refusal(call)).code),
    );
    expect(codes).toEqual(codes.map(() => Code.InvalidArgument));
    const huge = { runner: "r", leases: [{ workSessionId: sessionId, epoch: 2n ** 63n - 1n }] };
    expect(await runners.renewLeases(huge)).toMatchObject({ lostIds: [sessionId] });
    const invalid = tasks.watchTasks({ includeWorkSessions: true, statuses: [TaskStatus.ACTIVE] });
    const watched = (async () => void (await Array.fromAsync(invalid)))();
    expect((await refusal(watched)).code).toBe(Code.InvalidArgument);
  });
});

describe("who may do what", () => {
  test("nobody does anything without a token", async () => {
    const { tasks, runners } = clients(null);
    expect((await refusal(tasks.listTasks({}))).code).toBe(Code.Unauthenticated);
    expect((await refusal(runners.renewLeases({ runner: "r" }))).code).toBe(Code.Unauthenticated);
  });

  test("only runners claim, renew and release", async () => {
    const { sessionId: id } = await makeTask();
    const { runners } = clients();
    const calls = [
      runners.claimWorkSession({ id, runner: "me" }),
      runners.renewLeases({ runner: "me" }),
      runners.releaseWorkSession({ id, epoch: 1n }),
    ];
    for (const error of await Promise.all(calls.map(refusal))) {
      expect([error.code, reasonOf(error)]).toEqual([Code.PermissionDenied, "RUNNER_ROLE_REQUIRED"]);
    }
  });

  test("a runner that acts for nobody has no tasks", async () => {
    const { tasks } = clients("zed-bridge");
    for (const call of [tasks.listTasks({}), tasks.createTask(aTask)]) {
      const error = await refusal(call);
      expect([error.code, reasonOf(error)]).toEqual([Code.PermissionDenied, "TENANT_REQUIRED"]);
    }
  });
});

describe("a service that is stopped", () => {
  test("ends its watches with UNAVAILABLE and when to come back, and exits with 0", async () => {
    const stopped = await startCluster({ services: ["task-service"] });
    const transport = createConnectTransport({ baseUrl: stopped.taskUrl, httpVersion: "2" });
    const headers = { authorization: `Bearer ${stopped.token("local")}` };
    const watch = createClient(TaskService, transport).watchTasks({}, { headers });
    const ended = (async () => {
      for await (const { event } of watch)
        if (event.case === "synced") void stopped.service("task-service").kill("SIGTERM");
    })();
    const error = await refusal(ended);
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(RetryInfoSchema)).toHaveLength(1);
    await stopped.stop();
  });

  test("loses nothing when it is killed: the watch goes on where it was", async () => {
    await using killed = await startCluster({ services: ["task-service"] });
    const headers = { authorization: `Bearer ${killed.token("local")}` };
    const tasks = () =>
      createClient(TaskService, createConnectTransport({ baseUrl: killed.taskUrl, httpVersion: "2" }));
    const cut = new AbortController();
    let resumeToken = "";
    for await (const message of tasks().watchTasks({}, { headers, signal: cut.signal })) {
      resumeToken = message.resumeToken;
      if (message.event.case === "synced") break;
    }
    cut.abort();
    await tasks().createTask({ ...aTask, name: "before" }, { headers });
    await killed.service("task-service").restart("SIGKILL");
    await tasks().createTask({ ...aTask, name: "after" }, { headers });
    const names = [];
    const end = new AbortController();
    for await (const { event } of tasks().watchTasks({ resumeToken }, { headers, signal: end.signal })) {
      if (event.case === "changed" && event.value.resource.case === "task") names.push(event.value.resource.value.name);
      if (names.length === 2) break;
    }
    end.abort();
    expect(names).toEqual(["before", "after"]);
  });
});

describe("a service that cannot start", () => {
  test("says in one line what is wrong with the database", async () => {
    const tokens = cluster.layout.tokens;
    const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`], {
      env: {
        PATH: process.env["PATH"],
        DATABASE_URL: "postgresql://nobody:secret@127.0.0.1:1/none",
        HELIX_ZED_TOKENS_FILE: tokens.file,
      },
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(said.trim()).toMatch(
      /^task-service cannot start: The database 127\.0\.0\.1:1\/none cannot be used: .*DATABASE_URL\.$/,
    );
    expect(said).not.toContain("secret");
  });
});

describe("the health of the service", () => {
  test("is told to everybody, without a token", async () => {
    expect(await clients(null, "gRPC").health.check({ service: "helix.task.v1.TaskService" })).toMatchObject({
      status: 1,
    });
  });
});
