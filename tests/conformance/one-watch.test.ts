import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpc from "@grpc/grpc-js";
import { TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import {
  TaskService,
  WatchTasksRequestSchema,
  type WatchTasksResponse,
  WatchTasksResponseSchema,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { RestClient } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

describe("one watch through every door", () => {
  let cluster: Cluster;
  let rest: RestClient;
  let taskId: string;

  beforeAll(async () => {
    cluster = await startCluster({ services: ["task-service", "gateway"] });
    rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    const { body } = await rest.post("/api/v1/tasks", { name: "Watched", task_type: "interactive" });
    taskId = body["id"];
    await rest.put(`/api/v1/tasks/${taskId}/status`, { status: "cancelled" });
  }, 60_000);

  afterAll(() => cluster.stop());

  /** What a watch of the ended task says, in short. */
  const expected = ["changed cancelled", "changed session", "synced"];

  test.each<[string, () => Transport]>([
    ["gRPC", () => createGrpcTransport({ baseUrl: cluster.taskUrl })],
    ["gRPC, through the gateway", () => createGrpcTransport({ baseUrl: cluster.gatewayUrl })],
    ["Connect over HTTP/1.1", () => createConnectTransport({ baseUrl: cluster.taskUrl, httpVersion: "1.1" })],
    ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: cluster.taskUrl, httpVersion: "2" })],
    ["Connect, through the gateway", () => createConnectTransport({ baseUrl: cluster.gatewayUrl, httpVersion: "1.1" })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: cluster.taskUrl })],
    ["gRPC-Web, through the gateway", () => createGrpcWebTransport({ baseUrl: cluster.gatewayUrl })],
  ])("gives the same events and ends with its task: %s", async (_door, transport) => {
    const headers = { authorization: `Bearer ${cluster.token("local")}` };
    const request = { taskIds: [taskId], includeWorkSessions: true };
    const watch = createClient(TaskService, transport()).watchTasks(request, { headers });
    expect((await Array.fromAsync(watch)).map(inShort)).toEqual(expected);
  });

  test("gives the same events and ends with its task: @grpc/grpc-js", async () => {
    const client = new grpc.Client(new URL(cluster.taskUrl).host, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${cluster.token("local")}`);
    const stream = client.makeServerStreamRequest(
      "/helix.task.v1.TaskService/WatchTasks",
      (request) => Buffer.from(toBinary(WatchTasksRequestSchema, request)),
      (bytes) => fromBinary(WatchTasksResponseSchema, bytes),
      create(WatchTasksRequestSchema, { taskIds: [taskId], includeWorkSessions: true }),
      metadata,
    );
    const messages: WatchTasksResponse[] = await Array.fromAsync(stream);
    client.close();
    expect(messages.map(inShort)).toEqual(expected);
  });

  test("gives the same events and ends with its task: server-sent events", async () => {
    const path = `/api/v1/tasks:watch?task_ids=${taskId}&include_work_sessions=true`;
    const events = await Array.fromAsync(rest.watch(path));
    const short = events.map(({ event, data }) => {
      const task = data["changed"]?.["task"];
      return event === "changed" ? `changed ${task === undefined ? "session" : task["status"]}` : event;
    });
    expect(short).toEqual([...expected, "end"]);
  });
});

function inShort({ event }: WatchTasksResponse): string {
  if (event.case !== "changed") return event.case ?? "nothing";
  const { resource } = event.value;
  if (resource.case === "workSession") return "changed session";
  const status = Object.entries(TaskStatus).find(([, value]) => value === resource.value?.status)?.[0];
  return `changed ${status?.toLowerCase()}`;
}
