// What does the beginning of a watch cost, beside reading what it shows?
//
//   raw        select * from tasks, and from work_sessions, of the tenant, sent by the driver
//   use case   watchTasks with its work sessions in this process, up to `synced`
//   Connect    the same over HTTP/2, from a process of its own
//
// An operation is a whole snapshot.

import { type Client, createClient } from "@connectrpc/connect";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import type { Pool } from "pg";
import type { App } from "../../services/task-service/src/application/app.ts";
import { watchTasks } from "../../services/task-service/src/application/watch-tasks.ts";
import { ada, withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { withLoadService } from "./measuring/load-service.ts";
import { addHeldSessions } from "./measuring/many-sessions.ts";
import { say, sayFigures, sayMachine } from "./measuring/report.ts";
import { runRounds } from "./measuring/rounds.ts";
import { usualRounds } from "./measuring/size.ts";

const TASKS = sized({ normal: 2_000, full: 10_000 });
const watched = { taskIds: [], statuses: [], includeWorkSessions: true, resumeToken: "" };

async function readRaw(pool: Pool): Promise<void> {
  await pool.query("select * from tasks where tenant = $1", ["user:ada"]);
  await pool.query("select * from work_sessions where tenant = $1", ["user:ada"]);
}

async function untilSynced(app: App): Promise<void> {
  const hangUp = new AbortController();
  for await (const { event } of watchTasks(app, ada, watched, hangUp.signal)) if (event.kind === "synced") break;
}

async function untilSyncedOverWire(client: Client<typeof TaskService>): Promise<void> {
  for await (const { event } of client.watchTasks({ includeWorkSessions: true })) if (event.case === "synced") break;
}

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, (app) =>
      withLoadService(database, async (service) => {
        await addHeldSessions(pool, TASKS, "bridge-1");
        const client = createClient(TaskService, service.transport("connect"));
        const rounds = { ...usualRounds, workers: 1, databaseCpuUs: database.cpuUs };
        const figures = await runRounds(
          [
            { name: "raw", operation: () => readRaw(pool) },
            { name: "use case", operation: () => untilSynced(app) },
            { name: "Connect", operation: () => untilSyncedOverWire(client), cpuUs: service.cpuUs },
          ],
          rounds,
        );
        sayMachine();
        say(
          `WatchTasks, snapshot of ${TASKS} tasks and their sessions, medians of ${rounds.rounds} rounds of ${rounds.seconds} s`,
        );
        sayFigures(figures);
      }),
    ),
  ),
);
