// Many task-service processes on one database: none of them is special, and none holds what another would miss.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@helix-zed/gen/health/v1/health_pb.ts";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { layOutTaskReplicas, startTaskReplicas, type TaskReplicas } from "@helix-zed/harness/task-replicas.ts";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { ClientCrowd } from "./client-crowd.ts";

const MAIN = path.resolve(import.meta.dirname, "..", "..", "services", "task-service", "src", "main.ts");
const MIGRATIONS = "mikro_orm_migrations";

describe("ten task-services that start together on one empty database", () => {
  test("migrate it once, and all become healthy and serve the same", async () => {
    await using replicas = await layOutTaskReplicas({ count: 10 });
    await replicas.start();
    const names = await query<{ name: string }>(replicas.databaseUrl, `select name from ${MIGRATIONS} order by id`);
    expect(names.length).toBeGreaterThan(1);
    expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
    const { task } = await tasksOf(replicas.transport()).createTask(aTask());
    const found = replicas.services.map((_, replica) =>
      tasksOf(replicas.transport({ replica })).getTask({ id: task?.id ?? "" }),
    );
    for (const answer of await Promise.all(found)) expect(answer.task).toEqual(task);
  }, 120_000);
});

describe("two task-services on one database", () => {
  test("serve clients and watches on either, and a watch goes on at the other when its own is killed", async () => {
    await using replicas = await startTaskReplicas({ count: 2 });
    const transports = [replicas.transport({ replica: 0 }), replicas.transport({ replica: 1 })];
    const crowd = new ClientCrowd({ count: 16, transports });
    for (const index of [0, 1]) {
      await crowd.more(40);
      await replicas.service(index).restart("SIGKILL");
    }
    await crowd.more(40);
    const { problems, watchProblems, watch } = await crowd.finish();
    expect(problems).toEqual([]);
    expect(watchProblems).toEqual([]);
    expect(watch.restarts).toBe(0);
    expect(watch.connections).toBeGreaterThan(2);
  }, 120_000);

  test("show what is created at one to those who watch at the other, which resumes what the first began", async () => {
    await using replicas = await startTaskReplicas({ count: 2 });
    const [first, second] = [tasksOf(replicas.transport({ replica: 0 })), tasksOf(replicas.transport({ replica: 1 }))];
    const before = await watchUntil(first, "", (event) => event === "synced");
    await first.createTask(aTask("created at the first"));
    const seen = await watchUntil(second, before.resumeToken, (event) => event === "created at the first");
    await second.createTask(aTask("created at the second"));
    const { events } = await watchUntil(first, seen.resumeToken, (event) => event === "created at the second");
    expect([...seen.events, ...events]).toEqual(["created at the first", "created at the second"]);
  }, 60_000);
});

describe("a task-service that is older than its database", () => {
  test("works with a schema that a newer version has extended", async () => {
    await using replicas = await startTaskReplicas();
    await query(replicas.databaseUrl, `alter table tasks add column colour text not null default 'red'`);
    await query(replicas.databaseUrl, `insert into ${MIGRATIONS} (name) values ('9998-colours')`);
    await replicas.service(0).restart("SIGTERM");
    const tasks = tasksOf(replicas.transport());
    const { task } = await tasks.createTask(aTask());
    expect((await tasks.getTask({ id: task?.id ?? "" })).task).toEqual(task);
  }, 60_000);

  test("says in one line that it cannot work with a schema that a newer version has broken, and ends", async () => {
    await using replicas = await startTaskReplicas();
    await query(replicas.databaseUrl, `insert into ${MIGRATIONS} (name) values ('9999-breaking-new-words')`);
    const { code, said } = await startAlone(replicas);
    expect(code).toBe(1);
    expect(said).toMatch(
      /^task-service cannot start: The database was migrated by a newer version of this service \(9999-breaking-new-words\), and this version cannot work with it\. Start the newer version\.\n$/,
    );
    expect(await query(replicas.databaseUrl, "select from change_head")).toHaveLength(1);
  });

  test("stops being healthy when a newer version breaks the schema while it runs, and not when it extends it", async () => {
    await using replicas = await startTaskReplicas();
    const health = createClient(Health, replicas.transport());
    const seen: Status[] = [];
    const until = new AbortController();
    const watching = (async () => {
      for await (const { status } of health.watch({}, { signal: until.signal })) seen.push(status);
    })();
    watching.catch(() => {});
    await eventually("its health is told", () => seen.length === 1);
    await query(replicas.databaseUrl, `insert into ${MIGRATIONS} (name) values ('9998-colours')`);
    await query(replicas.databaseUrl, `insert into ${MIGRATIONS} (name) values ('9999-breaking-new-words')`);
    await eventually("its health has changed", () => seen.length === 2);
    await query(replicas.databaseUrl, `delete from ${MIGRATIONS} where name = '9999-breaking-new-words'`);
    await eventually("it is healthy with what only extends", () => seen.length === 3);
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
    expect(replicas.report()).toContain("migrated by a newer version of this service (9999-breaking-new-words)");
    until.abort();
  });
});

describe("a task-service that is told to stop under load", () => {
  test("answers every call that it had begun, and exits with 0 within 10 s", async () => {
    await using replicas = await startTaskReplicas();
    const tasks = tasksOf(replicas.transport());
    await tasks.createTask(aTask());
    const held = await holdTable(replicas.databaseUrl, "tasks");
    const names = Array.from({ length: 24 }, (_, index) => `in flight ${index}`);
    const calls = Promise.allSettled(names.map((name) => tasks.createTask(aTask(name))));
    await eventually("all calls that have a connection wait", async () => (await waiting(replicas.databaseUrl)) >= 16);
    const stoppedAtMs = performance.now();
    const exited = replicas.service(0).kill("SIGTERM");
    await eventually("it takes no new calls", () => isRefused(replicas));
    await held.release();
    const outcomes = await calls;
    expect(outcomes.map(({ status }) => status)).toEqual(names.map(() => "fulfilled"));
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - stoppedAtMs).toBeLessThan(10_000);
    const stored = await query<{ name: string }>(replicas.databaseUrl, "select name from tasks where name like 'in %'");
    expect(stored.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  }, 60_000);

  test("loses nothing for 16 clients who try again, nor for their watch, however often", async () => {
    await using replicas = await startTaskReplicas();
    const transports = [replicas.transport({ httpVersion: "2" }), replicas.transport({ httpVersion: "1.1" })];
    const crowd = new ClientCrowd({ count: 16, transports });
    for (let stops = 0; stops < 2; stops++) {
      await crowd.more(40);
      const stoppedAtMs = performance.now();
      expect(await replicas.service(0).kill("SIGTERM")).toEqual({ code: 0, signal: null });
      expect(performance.now() - stoppedAtMs).toBeLessThan(10_000);
      await replicas.service(0).start();
    }
    const { problems, watchProblems, watch } = await crowd.finish();
    expect(problems).toEqual([]);
    expect(watchProblems).toEqual([]);
    expect(watch.restarts).toBe(0);
  }, 90_000);
});

function tasksOf(transport: Transport) {
  return createClient(TaskService, transport);
}

function aTask(name = "Try") {
  return { name, taskType: TaskType.BATCH };
}

/** What a watch says after a token, from the names of tasks, until it says what is waited for. */
async function watchUntil(tasks: ReturnType<typeof tasksOf>, token: string, isLast: (event: string) => boolean) {
  const events: string[] = [];
  for await (const { event, resumeToken } of tasks.watchTasks({ resumeToken: token })) {
    if (event.case === "progress") continue;
    const task = event.case === "changed" && event.value.resource.case === "task" ? event.value.resource.value : null;
    const said = task?.name ?? event.case ?? "";
    events.push(said);
    if (isLast(said)) return { events, resumeToken };
  }
  throw new Error("The watch has ended.");
}

/** Starts one more process on the database, which is not expected to live. */
async function startAlone({ databaseUrl, tokensFile }: TaskReplicas) {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: databaseUrl,
      HELIX_ZED_PORT: "0",
      HELIX_ZED_TOKENS_FILE: tokensFile,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code]: unknown[] = await once(child, "close");
  return { code, said };
}

/** Keeps everybody from writing to a table. */
async function holdTable(url: string, table: string): Promise<{ readonly release: () => Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`begin; lock table ${table} in exclusive mode`);
  return {
    release: async () => {
      await client.query("rollback");
      await client.end();
    },
  };
}

/** How many statements wait for a lock. */
async function waiting(url: string): Promise<number> {
  const rows = await query<{ count: number }>(
    url,
    "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]?.count ?? 0;
}

/** Whether nobody listens at the port any more. */
async function isRefused(replicas: TaskReplicas): Promise<boolean> {
  try {
    await tasksOf(replicas.transport({ httpVersion: "1.1" })).getTask({ id: "x" }, { timeoutMs: 2_000 });
    return false;
  } catch (error) {
    return ConnectError.from(error).code === Code.Unavailable;
  }
}

async function query<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}
