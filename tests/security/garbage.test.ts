// Every RPC is sent what nobody should send, made from the descriptors: messages within and beyond every limit, texts
// that mean something to a database or a shell, and bytes that are no message at all. Every answer must be a good one.

import path from "node:path";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arbitraryBody } from "./garbage/arbitrary-body.ts";
import { callRaw, type RawAnswer } from "./garbage/raw-caller.ts";

const CALLS_PER_METHOD = sized({ normal: 200, full: 2_000 });
const PATIENCE_MS = sized({ normal: 120_000, full: 900_000 });

const WORDS = ["zed_agent", "simple", "runner-1", "active", '"1"', '"2"', "created_at desc", 'status = "active"'];

const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** What an answer must never say: where our code lies, what it is made of, and what it asks the database. */
const LEAKS: readonly RegExp[] = [
  /\bat (async )?[\w.<>]+ \(?\S+:\d+:\d+/,
  /node_modules|node:internal|\.ts:\d+/,
  /\bselect\b.*\bfrom\b|\binsert into\b|\bupdate\b.*\bset\b|\bdelete from\b/i,
  /violates|duplicate key|syntax error at|relation "|column "|SQLSTATE|invalid byte sequence|out of range for type/i,
  /TypeError|RangeError|ReferenceError|DriverException|Cannot read properties/,
];

/** What is wrong with an answer, if anything is. */
function problemOf({ code, text }: RawAnswer): string | undefined {
  if (["internal", "unknown", "data_loss", "unavailable", "deadline_exceeded"].includes(code))
    return `${code}: ${text}`;
  if (code.startsWith("status ") || code.startsWith("no end")) return `${code}: ${text.slice(0, 500)}`;
  const leak = LEAKS.find((pattern) => pattern.test(text)) ?? (text.includes(ROOT) ? ROOT : undefined);
  return leak === undefined ? undefined : `says ${String(leak)}: ${text}`;
}

interface Target {
  readonly url: string;
  readonly tokens: readonly string[];
  readonly known: readonly string[];
}

/** Sends garbage to all methods of a service, side by side; how often each code was the answer. */
async function pelt(service: DescService, target: Target): Promise<Map<string, number>> {
  const codes = new Map<string, number>();
  const peltMethod = (method: DescMethod): Promise<void> => {
    const input = fc.tuple(arbitraryBody(method.input, target.known), fc.constantFrom(...target.tokens));
    const property = fc.asyncProperty(input, async ([body, token]) => {
      const answer = await callRaw(target.url, token, method, body);
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
      expect(problemOf(answer)).toBeUndefined();
    });
    return fc.assert(property, { numRuns: CALLS_PER_METHOD, endOnFailure: false });
  };
  await Promise.all(service.methods.map(peltMethod));
  return codes;
}

function expectSense(codes: Map<string, number>): void {
  // Nonsense was refused at the door, and some of it got further in.
  expect(codes.get("invalid_argument")).toBeGreaterThan(0);
  expect(codes.get("not_found")).toBeGreaterThan(0);
  expect(codes.get("ok")).toBeGreaterThan(0);
}

describe("garbage", () => {
  let cluster: Cluster;
  let target: Target;
  let pid: number;

  beforeAll(async () => {
    cluster = await startCluster({ services: ["task-service"] });
    const known = [...WORDS, ...(await idsOfTask(cluster))];
    target = { url: cluster.taskUrl, tokens: [cluster.token("local"), cluster.token("zed-bridge")], known };
    pid = cluster.service("task-service").pid;
  }, 60_000);
  afterAll(() => cluster.stop());

  test.each([TaskService, WorkSessionService, RunnerService])(
    "sent to every RPC of $typeName is answered well",
    async (service) => {
      expectSense(await pelt(service, target));
    },
    PATIENCE_MS,
  );

  test("leaves task-service up, the same process as before", async () => {
    expect(cluster.service("task-service").isRunning).toBe(true);
    expect(cluster.service("task-service").pid).toBe(pid);
    expect((await idsOfTask(cluster)).length).toBeGreaterThan(2);
  });
});

describe("garbage, sent to the bridge", () => {
  let cluster: Cluster;
  let target: Target;
  let pid: number;

  beforeAll(async () => {
    cluster = await startCluster();
    const known = [...WORDS, ...(await idsOfThread(cluster))];
    target = { url: cluster.bridgeUrl, tokens: [cluster.token("local")], known };
    pid = cluster.service("zed-bridge").pid;
  }, 90_000);
  afterAll(() => cluster.stop());

  test.each([ZedThreadService, ZedInstanceService])(
    "to every RPC of $typeName is answered well",
    async (service) => {
      expectSense(await pelt(service, target));
    },
    PATIENCE_MS,
  );

  test("leaves zed-bridge up, the same process as before", async () => {
    expect(cluster.service("zed-bridge").isRunning).toBe(true);
    expect(cluster.service("zed-bridge").pid).toBe(pid);
    const rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    expect(await rest.get("/api/v1/zed-instances")).toMatchObject({ status: 200 });
  });
});

/** Makes a task, and gives the ids of it and of all that belongs to it. */
async function idsOfTask(cluster: Cluster): Promise<string[]> {
  const call = async (method: string, body: Json): Promise<Json> => {
    const response = await fetch(`${cluster.taskUrl}/helix.task.v1.${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token("local")}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer: Json = JSON.parse(await response.text());
    return answer;
  };
  const { task } = await call("TaskService/CreateTask", { name: "Try", taskType: "TASK_TYPE_INTERACTIVE" });
  const { workSessions } = await call("WorkSessionService/ListWorkSessions", { taskId: task["id"] });
  const [session] = workSessions;
  return [task["id"], task["coordinatorSessionId"], session["id"], session["helixSessionId"]];
}

/** Makes a task whose agent is held in the middle of its turn, and gives the ids of all that has to do with it. */
async function idsOfThread(cluster: Cluster): Promise<string[]> {
  const rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
  const { body: task } = await rest.post("/api/v1/tasks", {
    name: "Try [demo: hold garbage]",
    task_type: "batch",
    project_path: cluster.makeRepository("garbage"),
  });
  await cluster.model.reached("garbage");
  const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
  const sessionId: string = body["work_sessions"][0]["id"];
  const thread = await eventually("the thread is there", async () => {
    const answer = await rest.get(`/api/v1/work-sessions/${sessionId}/zed-thread`);
    return answer.status === 200 ? answer.body : undefined;
  });
  const { body: instances } = await rest.get("/api/v1/zed-instances");
  return [task["id"], sessionId, thread["id"], thread["latest_turn"]["id"], instances["zed_instances"][0]["id"]];
}
