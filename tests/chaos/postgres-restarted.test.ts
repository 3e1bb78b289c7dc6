// The database goes down without a goodbye and comes back, while clients go on calling and a watch looks on.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { emptyDatabase } from "@helix-zed/harness/fresh-database.ts";
import { OwnPostgres } from "@helix-zed/harness/own-postgres.ts";
import { startTaskReplicas, type TaskReplicas } from "@helix-zed/harness/task-replicas.ts";
import { TcpProxy } from "@helix-zed/harness/tcp-proxy.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { ClientCrowd } from "./client-crowd.ts";

const RESTARTS = sized({ normal: 10, full: 40 });
const STEPS_BETWEEN = 40;
const PATIENCE_MS = sized({ normal: 600_000, full: 2_400_000 });

describe("a task-service whose database is restarted under load", () => {
  test(
    "answers UNAVAILABLE with a time to come again, and goes on without having lost anything",
    async () => {
      await using postgres = await OwnPostgres.start();
      await using replicas = await startTaskReplicas({ databaseUrl: postgres.url });
      const crowd = new ClientCrowd({ count: 16, transports: [replicas.transport()] });
      for (let restarts = 0; restarts < RESTARTS; restarts++) {
        await crowd.more(STEPS_BETWEEN);
        await postgres.down();
        expect(await errorOf(listTasks(replicas))).toEqual(unavailable);
        await postgres.up();
      }
      await crowd.more(STEPS_BETWEEN);
      const { problems, watchProblems, tally, watch } = await crowd.finish();
      expect(problems).toEqual([]);
      expect(watchProblems).toEqual([]);
      expect(watch.restarts).toBe(0);
      expect([...tally.answers.keys()].filter((answer) => !isExpected(answer))).toEqual([]);
      expect(tally.answers.get("Unavailable DATABASE_UNAVAILABLE")).toBeGreaterThan(RESTARTS);
      expect(tally).toMatchObject({ withoutRetryInfo: 0, unanswered: 0 });
    },
    PATIENCE_MS,
  );
});

describe("a task-service that loses its connections to the database", () => {
  test("heals when they are terminated, and its watches miss nothing", async () => {
    const databaseUrl = await emptyDatabase();
    await using replicas = await startTaskReplicas({ databaseUrl });
    const crowd = new ClientCrowd({ count: 8, transports: [replicas.transport()] });
    for (let round = 0; round < 3; round++) {
      await crowd.more(STEPS_BETWEEN);
      expect(await terminateConnections(databaseUrl)).toBeGreaterThan(1);
    }
    await crowd.more(STEPS_BETWEEN);
    const { problems, watchProblems, tally } = await crowd.finish();
    expect([...problems, ...watchProblems]).toEqual([]);
    expect([...tally.answers.keys()].filter((answer) => !isExpected(answer))).toEqual([]);
    expect(tally).toMatchObject({ withoutRetryInfo: 0, unanswered: 0 });
  }, 90_000);

  test("heals when the network has lost them without a word, and its watches miss nothing", async () => {
    const databaseUrl = await emptyDatabase();
    const { hostname: host, port } = new URL(databaseUrl);
    const proxy = await TcpProxy.start({ host, port: Number(port) });
    {
      await using replicas = await startTaskReplicas({ databaseUrl: proxy.through(databaseUrl) });
      const crowd = new ClientCrowd({ count: 8, transports: [replicas.transport()] });
      await crowd.more(STEPS_BETWEEN);
      expect(proxy.freeze()).toBeGreaterThan(1);
      await crowd.more(STEPS_BETWEEN);
      await eventually("the listener has come back", () => hasListener(databaseUrl));
      const { problems, watchProblems, tally } = await crowd.finish();
      expect([...problems, ...watchProblems]).toEqual([]);
      expect([...tally.answers.keys()].filter((answer) => !isExpected(answer))).toEqual([]);
    }
    await proxy.close();
  }, 120_000);
});

const unavailable = { code: Code.Unavailable, reason: "DATABASE_UNAVAILABLE", hasRetryInfo: true };

/** What a client that tries again may be told: the database is away, or its earlier try was carried out. */
function isExpected(answer: string): boolean {
  return /^Unavailable DATABASE_UNAVAILABLE$|ETAG_MISMATCH$|TASK_NOT_FOUND$/.test(answer);
}

function listTasks(replicas: TaskReplicas): Promise<unknown> {
  return createClient(TaskService, replicas.transport()).listTasks({});
}

async function errorOf(call: Promise<unknown>) {
  const error = await call.then(
    () => new ConnectError("The call succeeded.", Code.Internal),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason;
  return { code: error.code, reason, hasRetryInfo: error.findDetails(RetryInfoSchema).length === 1 };
}

/** Ends all connections of task-service, and gives their number. */
async function terminateConnections(url: string): Promise<number> {
  return ask(
    url,
    `select count(pg_terminate_backend(pid))::int as answer from pg_stat_activity
     where datname = current_database() and application_name like 'task-service%'`,
  );
}

/** Whether a connection of task-service listens that was made after the loss. */
async function hasListener(url: string): Promise<boolean> {
  const since = `select count(*)::int as answer from pg_stat_activity where datname = current_database()
    and application_name = 'task-service listener'`;
  return (await ask(url, since)) > 1;
}

async function ask(url: string, statement: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: number }>(statement);
    return rows[0]?.answer ?? 0;
  } finally {
    await client.end();
  }
}
