import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { RestClient } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Call, type Door, doorsOf, type Outcome } from "./doors.ts";

const tasks = TaskService.method;
const UNKNOWN = `tsk_${"0".repeat(32)}`;

describe("one call through every door", () => {
  let cluster: Cluster;
  let doors: Door[];
  let taskId: string;

  beforeAll(async () => {
    cluster = await startCluster({ services: ["task-service", "gateway"] });
    doors = doorsOf(cluster);
    const rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    const { body } = await rest.post("/api/v1/tasks", {
      name: "One",
      description: "für alle ✓",
      task_type: "interactive",
    });
    taskId = body["id"];
  }, 60_000);

  afterAll(() => cluster.stop());

  /** Makes the call through each door and expects one answer from all of them. */
  async function agree(call: Call, token: string | undefined = cluster.token("local")): Promise<Outcome> {
    return agreed(doors, call, token);
  }

  test("gives the same task", async () => {
    expect(await agree(getTask(taskId))).toMatchObject({ resource: { id: taskId, description: "für alle ✓" } });
  });

  test("gives the same page", async () => {
    const call = {
      method: tasks.listTasks,
      request: { pageSize: 10 },
      rest: { verb: "GET", path: "/api/v1/tasks?page_size=10" },
    };
    expect(await agree(call)).toMatchObject({ resource: { tasks: [{ id: taskId }] } });
  });

  test("gives the same tasks that match the same filter, in the same order", async () => {
    const filter = `task_type = interactive AND (name:"One" OR priority < 0) AND created_at > 2026-01-01T00:00:00+01:00`;
    const query = new URLSearchParams({ filter, order_by: "priority, name desc" });
    const call = {
      method: tasks.listTasks,
      request: { filter, orderBy: "priority, name desc" },
      rest: { verb: "GET", path: `/api/v1/tasks?${query.toString()}` },
    };
    expect(await agree(call)).toMatchObject({ resource: { tasks: [{ id: taskId }] } });
  });

  test("says the same of the same wrong filter and order, and where they are wrong", async () => {
    const query = new URLSearchParams({ filter: "status = running", order_by: "name, age" });
    const wrong = {
      method: tasks.listTasks,
      request: { filter: "status = running", orderBy: "name, age" },
      rest: { verb: "GET", path: `/api/v1/tasks?${query.toString()}` },
    };
    expect(await agree(wrong)).toMatchObject({
      code: "INVALIDARGUMENT",
      reason: "INVALID_REQUEST",
      violations: [
        "filter: position 10: found running, expected one of pending, active, completed, failed, cancelled",
        expect.stringContaining("order_by: position 6: found age, expected one of status"),
      ],
    });
    const filter = { ...wrong, request: { filter: "NOT" }, rest: { verb: "GET", path: "/api/v1/tasks?filter=NOT" } };
    expect(await agree(filter)).toMatchObject({ reason: "FILTER_INVALID", metadata: { position: "4" } });
  });

  test("gives the same work sessions", async () => {
    const path = `/api/v1/tasks/${taskId}/work-sessions`;
    const call = {
      method: WorkSessionService.method.listWorkSessions,
      request: { taskId },
      rest: { verb: "GET", path },
    };
    expect(await agree(call)).toMatchObject({
      resource: { work_sessions: [{ task_id: taskId, agent_type: "zed_agent" }] },
    });
  });

  test("does not find the same unknown task", async () => {
    expect(await agree(getTask(UNKNOWN))).toMatchObject({ code: "NOTFOUND", reason: "TASK_NOT_FOUND" });
  });

  test("answers alike about another tenant's task and one that does not exist", async () => {
    const token = cluster.token("other");
    const foreign = JSON.stringify(await agree(getTask(taskId), token));
    const absent = JSON.stringify(await agree(getTask(UNKNOWN), token));
    expect(foreign.replaceAll(taskId, "ID")).toBe(absent.replaceAll(UNKNOWN, "ID"));
  });

  test("names all that is wrong with the same request", async () => {
    const outcome = await agree({
      method: tasks.createTask,
      request: { name: "", taskType: TaskType.UNSPECIFIED, priority: 5_000, requestId: "not a UUID" },
      rest: { verb: "POST", path: "/api/v1/tasks", body: { name: "", priority: 5_000, request_id: "not a UUID" } },
      bare: "task",
    });
    expect(outcome).toMatchObject({ code: "INVALIDARGUMENT", reason: "INVALID_REQUEST" });
    expect("violations" in outcome ? outcome.violations.map((text) => text.split(":")[0]) : []).toEqual(
      expect.arrayContaining(["name", "task_type", "priority", "request_id"]),
    );
  });

  test("refuses the same request without a token", async () => {
    const outcome = await agreed(doors, getTask(taskId), undefined);
    expect(outcome).toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING" });
  });

  test("refuses the same request with an unknown token", async () => {
    expect(await agree(getTask(taskId), "nobody-knows-me")).toMatchObject({
      code: "UNAUTHENTICATED",
      reason: "TOKEN_UNKNOWN",
    });
  });

  test("refuses the same stale etag", async () => {
    const body = { status: "completed", etag: '"stale"' };
    const outcome = await agree({
      method: tasks.updateTaskStatus,
      request: { id: taskId, status: TaskStatus.COMPLETED, etag: '"stale"' },
      rest: { verb: "PUT", path: `/api/v1/tasks/${taskId}/status`, body },
      bare: "task",
    });
    expect(outcome).toMatchObject({ code: expect.stringMatching(/ABORTED|INVALIDARGUMENT/) });
  });

  test("refuses the same impossible transition", async () => {
    const outcome = await agree({
      method: tasks.updateTaskStatus,
      request: { id: taskId, status: TaskStatus.PENDING },
      rest: { verb: "PUT", path: `/api/v1/tasks/${taskId}/status`, body: { status: "pending" } },
      bare: "task",
    });
    expect(outcome).toMatchObject({ code: expect.stringMatching(/FAILEDPRECONDITION|INVALIDARGUMENT/) });
  });

  test("refuses what only runners may do to a user", async () => {
    const rpcDoors = doors.filter(({ name }) => name !== "REST");
    const call = {
      method: RunnerService.method.renewLeases,
      request: { runner: "me" },
      rest: { verb: "POST", path: "/" },
    };
    for (const { call: through } of rpcDoors)
      expect(await through(call, cluster.token("local"))).toMatchObject({ code: "PERMISSIONDENIED" });
  });
});

function getTask(id: string): Call {
  return { method: tasks.getTask, request: { id }, rest: { verb: "GET", path: `/api/v1/tasks/${id}` }, bare: "task" };
}

async function agreed(doors: readonly Door[], call: Call, token: string | undefined): Promise<Outcome> {
  const outcomes: Record<string, Outcome> = {};
  for (const door of doors) outcomes[door.name] = await door.call(call, token);
  const [first] = Object.values(outcomes);
  if (first === undefined) throw new Error("There are no doors.");
  expect(outcomes).toEqual(Object.fromEntries(doors.map(({ name }) => [name, first])));
  return first;
}
