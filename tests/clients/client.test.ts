import { type Client, type ClientOptions, liveTasks, systemClock, waitForTask } from "@helix-zed/client";
import { createClient as createNodeClient } from "@helix-zed/client/node";
import { createClient as createWebClient } from "@helix-zed/client/web";
import { Code } from "@connectrpc/connect";
import { TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ services: ["task-service", "gateway"] });
}, 60_000);

afterAll(() => cluster.stop());

const makers = { Node: createNodeClient, browsers: createWebClient } as const;

function clientOf(make: (options: ClientOptions) => Client, token = cluster.token("local")): Client {
  return make({ baseUrl: cluster.gatewayUrl, token, retry: { attemptsMax: 20 } });
}

async function createTask(client: Client, name: string): Promise<string> {
  const { task } = await client.tasks.createTask({ name, taskType: TaskType.INTERACTIVE });
  return task?.id ?? "";
}

function cancel(client: Client, id: string): Promise<unknown> {
  return client.tasks.updateTaskStatus({ id, status: TaskStatus.CANCELLED });
}

describe.each(Object.entries(makers))("a client for %s", (platform, make) => {
  test("shows live what its tasks become, also over a restart of the service and the gateway", async () => {
    const client = clientOf(make);
    const id = await createTask(client, "Over a restart");
    const view = liveTasks(client.watchTasks({ taskIds: [id] }, { retryMaxMs: 200 }));
    const states: string[] = [];
    view.subscribe(() => states.push(view.current.status.state));
    await eventually("the task is shown", () => view.current.tasks.get(id));
    await cluster.service("task-service").restart("SIGKILL");
    await cluster.service("gateway").restart("SIGKILL");
    await client.tasks.getTask({ id });
    await cancel(client, id);
    await view.finished;
    expect(view.current.tasks.get(id)?.status).toBe(TaskStatus.CANCELLED);
    expect(states).toContain("waiting");
    expect(states.at(-1)).toBe("ended");
    // It went on where it was: one snapshot is enough.
    expect(states.filter((state, index) => state === "syncing" && states[index - 1] !== "syncing")).toHaveLength(1);
  }, 60_000);

  test("creates once although the service is killed while it creates", async () => {
    const client = clientOf(make);
    const names = Array.from({ length: 8 }, (_, index) => `Once ${platform} ${index}`);
    const creating = Promise.all(names.map((name) => createTask(client, name)));
    await cluster.service("task-service").restart("SIGKILL");
    await creating;
    const filter = `name:"Once ${platform}"`;
    const { tasks } = await client.tasks.listTasks({ filter });
    expect(tasks.map(({ name }) => name).toSorted()).toEqual(names);
  }, 60_000);

  test("waits for the end of a task", async () => {
    const client = clientOf(make);
    const id = await createTask(client, "Waited for");
    const ended = waitForTask(client, id);
    await cancel(client, id);
    await expect(ended).resolves.toMatchObject({ id, status: TaskStatus.CANCELLED });
  });

  test("stops waiting when it is told to", async () => {
    const client = clientOf(make);
    const id = await createTask(client, "Never ends");
    const stop = new AbortController();
    const ended = waitForTask(client, id, undefined, { signal: stop.signal, clock: systemClock });
    stop.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
  });

  test("tells that a task to wait for is gone, or was never there", async () => {
    const client = clientOf(make);
    const id = await createTask(client, "Deleted");
    const ended = waitForTask(client, id, () => false);
    const absent = waitForTask(client, "tsk_00000000000000000000000000000000");
    await expect(absent).rejects.toMatchObject({ code: Code.NotFound });
    await client.tasks.deleteTask({ id });
    await expect(ended).rejects.toMatchObject({ code: Code.NotFound });
  });

  test("is refused with a wrong token, and does not try again", async () => {
    const view = liveTasks(clientOf(make, "wrong").watchTasks({}));
    await expect(view.finished).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect(view.current.status.state).toBe("refused");
  });
});
