// Every limit, at its bound and one beyond, as a caller meets it

import { randomUUID } from "node:crypto";
import { type JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { BadRequestSchema, ErrorInfoSchema, QuotaFailureSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultLimits } from "./domain/limits.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ services: ["task-service"] });
});
afterAll(() => cluster.stop());

function clients(holder: "local" | "other" | "zed-bridge" = "local", sessionManager?: Http2SessionManager) {
  const transport = createConnectTransport({
    baseUrl: cluster.taskUrl,
    httpVersion: "2",
    ...(sessionManager === undefined ? {} : { sessionManager }),
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${cluster.token(holder)}`);
        return next(request);
      },
    ],
  });
  return {
    tasks: createClient(TaskService, transport),
    sessions: createClient(WorkSessionService, transport),
    runners: createClient(RunnerService, transport),
  };
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

function fieldsOf(error: ConnectError): string[] {
  return error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field) ?? [];
}

const aTask = { name: "Add search", description: "", taskType: TaskType.BATCH };

/** An object of so many levels. */
function nested(levels: number): JsonObject {
  return levels === 1 ? { end: true } : { inner: nested(levels - 1) };
}

/** An object of so many bytes as JSON. */
function sizedObject(bytes: number): JsonObject {
  return { a: "x".repeat(bytes - JSON.stringify({ a: "" }).length) };
}

function keyed(keys: number): JsonObject {
  return Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key${index}`, index]));
}

const namedSessions = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));

describe("the limits of a new task", () => {
  const { nameCharsMax, descriptionBytesMax, configBytesMax, configKeysMax, configDepthMax, workSessionsPerTaskMax } =
    defaultLimits;

  test.each<[string, string, object, object]>([
    ["a name of 255 characters", "name", { name: "é".repeat(nameCharsMax) }, { name: "é".repeat(nameCharsMax + 1) }],
    [
      "a description of 64 KiB",
      "description",
      { description: "é".repeat(descriptionBytesMax / 2) },
      { description: `${"é".repeat(descriptionBytesMax / 2)}x` },
    ],
    [
      "settings of 16 KiB",
      "config",
      { config: sizedObject(configBytesMax) },
      { config: sizedObject(configBytesMax + 1) },
    ],
    ["settings with 64 keys", "config", { config: keyed(configKeysMax) }, { config: keyed(configKeysMax + 1) }],
    ["settings of 8 levels", "config", { config: nested(configDepthMax) }, { config: nested(configDepthMax + 1) }],
    [
      "50 work sessions",
      "work_sessions",
      { workSessions: namedSessions(workSessionsPerTaskMax) },
      { workSessions: namedSessions(workSessionsPerTaskMax + 1) },
    ],
    [
      "a prompt of 64 KiB",
      "work_sessions[0].agent_config.prompt",
      { workSessions: [{ name: "a", agentConfig: { prompt: "x".repeat(descriptionBytesMax) } }] },
      { workSessions: [{ name: "a", agentConfig: { prompt: "x".repeat(descriptionBytesMax + 1) } }] },
    ],
    ["a priority of 1,000", "priority", { priority: 1_000 }, { priority: 1_001 }],
  ])("allow %s, and nothing beyond", async (_name, field, largest, tooLarge) => {
    const { tasks } = clients();
    await expect(tasks.createTask({ ...aTask, ...largest })).resolves.toMatchObject({ task: {} });
    const error = await refusal(tasks.createTask({ ...aTask, ...tooLarge }));
    expect([error.code, fieldsOf(error)]).toEqual([Code.InvalidArgument, [field]]);
  });
});

describe("a request", () => {
  test("is refused with all that is wrong with it, by the rules of the contract and by the service's own", async () => {
    const wrong = {
      name: "",
      taskType: TaskType.UNSPECIFIED,
      priority: 5_000,
      requestId: "not a UUID",
      projectPath: "relative",
      config: nested(20),
      description: "\0",
      workSessions: [
        { name: "a", agentType: "nobody" },
        { name: "a", agentType: "Not A Name" },
      ],
    };
    const error = await refusal(clients().tasks.createTask(wrong));
    expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, "INVALID_REQUEST"]);
    expect(fieldsOf(error).toSorted()).toEqual([
      "config",
      "description",
      "name",
      "priority",
      "project_path",
      "request_id",
      "task_type",
      "work_sessions[0].agent_type",
      "work_sessions[1].agent_type",
      "work_sessions[1].name",
    ]);
  });

  test("is refused so for lists and watches too", async () => {
    const { tasks, sessions } = clients();
    const wrong = { pageSize: -1, filter: "nonsense", orderBy: "nonsense" };
    const errors = await Promise.all([
      refusal(tasks.listTasks(wrong)),
      refusal(sessions.listWorkSessions({ ...wrong, taskId: "" })),
      refusal(Array.fromAsync(sessions.watchWorkSessions({ filter: "nonsense", agentTypes: ["Not A Name"] }))),
    ]);
    expect(errors.map(fieldsOf)).toEqual([
      ["page_size", "filter", "order_by"],
      ["task_id", "page_size", "filter", "order_by"],
      ["agent_types[0]", "filter"],
    ]);
  });
});

describe("the limits of a task's work sessions", () => {
  test("allow 50 in all, and nothing beyond", async () => {
    const { tasks, sessions } = clients();
    const { task } = await tasks.createTask({ ...aTask, workSessions: namedSessions(49) });
    const taskId = task?.id ?? "";
    await sessions.createWorkSession({ taskId, name: "last" });
    const error = await refusal(sessions.createWorkSession({ taskId, name: "beyond" }));
    expect([error.code, reasonOf(error)]).toEqual([Code.ResourceExhausted, "TOO_MANY_WORK_SESSIONS"]);
    expect(error.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([{ subject: `task:${taskId}` }]);
  });

  test("allow to descend from 10 others, and from no more", async () => {
    const { tasks, sessions } = clients();
    const { task } = await tasks.createTask(aTask);
    const taskId = task?.id ?? "";
    let parent = (await sessions.listWorkSessions({ taskId })).workSessions[0];
    for (let depth = 1; depth <= defaultLimits.spawnDepthMax; depth++) {
      const spawn = { taskId, name: `depth ${depth}`, parentWorkSessionId: parent?.id ?? "" };
      parent = (await sessions.createWorkSession(spawn)).workSession;
    }
    const beyond = { taskId, name: "beyond", parentWorkSessionId: parent?.id ?? "" };
    const error = await refusal(sessions.createWorkSession(beyond));
    expect([error.code, reasonOf(error)]).toEqual([Code.ResourceExhausted, "SPAWN_TOO_DEEP"]);
    expect(error.findDetails(QuotaFailureSchema)).toHaveLength(1);
  });
});

function terms(count: number): string {
  return Array.from({ length: count }, () => "priority=0").join(" ");
}

function padded(chars: number): string {
  return "name:x".padEnd(chars);
}

describe("the limits of a list", () => {
  test.each<[string, string, object, object]>([
    ["a page of 1,000", "page_size", { pageSize: 1_000 }, { pageSize: 1_001 }],
    ["a filter of 1,000 characters", "filter", { filter: padded(1_000) }, { filter: padded(1_001) }],
    ["a filter of 20 terms", "filter", { filter: terms(20) }, { filter: terms(21) }],
    ["an order of 1,000 characters", "order_by", { orderBy: "name".padEnd(1_000) }, { orderBy: "name".padEnd(1_001) }],
  ])("allow %s, and nothing beyond", async (_name, field, largest, tooLarge) => {
    const { tasks } = clients();
    await expect(tasks.listTasks(largest)).resolves.toBeDefined();
    const error = await refusal(tasks.listTasks(tooLarge));
    expect([error.code, fieldsOf(error)]).toEqual([Code.InvalidArgument, [field]]);
  });
});

/** Opens a watch and waits until it says something. */
async function open(tasks: ReturnType<typeof clients>["tasks"], signal: AbortSignal): Promise<void> {
  const messages = tasks.watchTasks({}, { signal })[Symbol.asyncIterator]();
  await messages.next();
  messages.next().catch(() => {});
}

/** Opens a watch as soon as there is room for it. */
function openInTime(tasks: ReturnType<typeof clients>["tasks"], signal: AbortSignal): Promise<boolean> {
  const isOpen = (): Promise<boolean> =>
    open(tasks, signal).then(
      () => true,
      () => false,
    );
  return eventually("there is room for another watch", isOpen);
}

describe("the limit of watches", () => {
  test("allows each caller 20 at a time, and says whose it is", async () => {
    const end = new AbortController();
    const { tasks } = clients("other");
    for (let count = 0; count < defaultLimits.watchesPerActorMax; count++) await open(tasks, end.signal);
    const error = await refusal(open(tasks, end.signal));
    expect([error.code, reasonOf(error)]).toEqual([Code.ResourceExhausted, "TOO_MANY_WATCHES"]);
    expect(error.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([
      { subject: expect.stringMatching(/^user:/) },
    ]);
    await open(clients("local").tasks, end.signal);
    end.abort();
  });

  test("counts a watch no more when it was ended, and when its connection was cut", async () => {
    const manager = new Http2SessionManager(cluster.taskUrl);
    const doomed = clients("other", manager);
    const ended = new AbortController();
    const half = defaultLimits.watchesPerActorMax / 2;
    const { tasks } = clients("other");
    for (let count = 0; count < half; count++) await openInTime(tasks, ended.signal);
    for (let count = 0; count < half; count++) await openInTime(doomed.tasks, new AbortController().signal);
    expect(reasonOf(await refusal(open(tasks, ended.signal)))).toBe("TOO_MANY_WATCHES");
    ended.abort();
    manager.abort();
    const end = new AbortController();
    for (let count = 0; count < 2 * half; count++) await openInTime(tasks, end.signal);
    end.abort();
  });

  test("leaves a runner room for more", async () => {
    const end = new AbortController();
    const { sessions } = clients("zed-bridge");
    for (let count = 0; count <= defaultLimits.watchesPerActorMax; count++) {
      const messages = sessions.watchWorkSessions({}, { signal: end.signal })[Symbol.asyncIterator]();
      await expect(messages.next()).resolves.toMatchObject({ done: false });
    }
    end.abort();
  });
});

describe("binding a Helix session", () => {
  test("is for runners, and tells apart what is bound and what is taken", async () => {
    const { tasks, sessions, runners } = clients();
    const make = async () => {
      const { task } = await tasks.createTask(aTask);
      return (await sessions.listWorkSessions({ taskId: task?.id ?? "" })).workSessions[0]?.id ?? "";
    };
    const [id, other] = [await make(), await make()];
    const helixSessionId = `helix_${randomUUID()}`;
    const { runners: bridge } = clients("zed-bridge");
    expect((await refusal(runners.bindHelixSession({ id, helixSessionId }))).code).toBe(Code.PermissionDenied);
    const bound = await bridge.bindHelixSession({ id, helixSessionId });
    expect(bound.workSession).toMatchObject({ id, helixSessionId });
    const again = await refusal(bridge.bindHelixSession({ id, helixSessionId: "another" }));
    expect([again.code, reasonOf(again)]).toEqual([Code.FailedPrecondition, "HELIX_SESSION_BOUND"]);
    const taken = await refusal(bridge.bindHelixSession({ id: other, helixSessionId }));
    expect([taken.code, reasonOf(taken)]).toEqual([Code.AlreadyExists, "HELIX_SESSION_TAKEN"]);
    const stale = await refusal(bridge.bindHelixSession({ id: other, helixSessionId: "fresh", etag: '"9"' }));
    expect([stale.code, reasonOf(stale)]).toEqual([Code.Aborted, "ETAG_MISMATCH"]);
  });
});
