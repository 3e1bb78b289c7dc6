// What does a change of a status cost, beside the statements that it consists of?
//
//   raw              begin; select … for update; update; insert into the log; commit, sent by the driver
//   claim, release   ClaimWorkSession and ReleaseWorkSession in turn
//   task             UpdateTaskStatus: a task becomes active
//   session          UpdateWorkSessionStatus: a session becomes active, and its task with it
//
// Raw is about one row; a session's task is read or locked and written beside it. The use cases number their changes.

import { sized } from "@helix-zed/harness/test-size.ts";
import type { Pool } from "pg";
import type { App } from "../../services/task-service/src/application/app.ts";
import { updateTaskStatus } from "../../services/task-service/src/application/update-task-status.ts";
import { updateWorkSessionStatus } from "../../services/task-service/src/application/update-work-session-status.ts";
import { ada, withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { say, sayFigures, sayMachine } from "./measuring/report.ts";
import { type Contestant, runRounds } from "./measuring/rounds.ts";
import { SessionWriter } from "./measuring/session-writer.ts";
import { PendingTasks } from "./measuring/status-changes.ts";

const ROUNDS = {
  rounds: sized({ normal: 3, full: 9 }),
  seconds: sized({ normal: 0.5, full: 1 }),
  workers: 16,
  warmUpSeconds: 0.5,
};
/** More than can be changed in a round. */
const STOCK = 2_500;
const RAW_ROWS: readonly string[] = Array.from({ length: ROUNDS.workers }, (_, worker) => `tsk_raw_${worker}`);

const addRow = `
  insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority, user_id,
    organization_id, app_id, project_path, config, coordinator_session_id, created_at, updated_at)
  values ($1, 'user:raw', 'A task', repeat('What is to be done. ', 16), 'batch', 'pending', '', now(), 0, 'raw', '', '',
    '/work', '{"labels": ["security"]}', 'ses_raw', now(), now())`;
const lockRow = "select * from tasks where id = $1 for update";
const updateRow = "update tasks set status_reason = $2, updated_at = $3, version = version + 1 where id = $1";
const appendRow = `
  insert into change_log (tenant, kind, ref_id, task_id, before, after)
  select tenant, 'task', id, id, $2::jsonb, to_jsonb(tasks) from tasks where id = $1`;
const BEFORE = JSON.stringify({ status: "pending", name: "A task" });

async function changeRaw(pool: Pool, id: string): Promise<void> {
  const client = await pool.connect();
  await client.query("begin");
  await client.query(lockRow, [id]);
  await client.query(updateRow, [id, "changed", new Date()]);
  await client.query(appendRow, [id, BEFORE]);
  await client.query("commit");
  client.release();
}

/** Each change once for a pending task of a stock. */
function once(
  name: string,
  stock: PendingTasks,
  change: (pending: ReturnType<PendingTasks["take"]>) => Promise<unknown>,
) {
  return { name, prepare: () => stock.fill(STOCK), operation: () => change(stock.take()) } satisfies Contestant;
}

async function contestantsOf(app: App, pool: Pool): Promise<Contestant[]> {
  for (const id of RAW_ROWS) await pool.query(addRow, [id]);
  const writers = await Promise.all(RAW_ROWS.map((_, worker) => SessionWriter.create(app, `u${worker}`)));
  const stock = new PendingTasks(app, ada);
  return [
    { name: "raw", operation: (worker) => changeRaw(pool, RAW_ROWS[worker] ?? "") },
    { name: "claim, release", operation: async (worker) => writers[worker]?.write() },
    once("task", stock, ({ taskId }) => updateTaskStatus(app, ada, { taskId, action: "activate", reason: "" })),
    once("session", stock, ({ workSessionId }) =>
      updateWorkSessionStatus(app, ada, { workSessionId, status: "active", reason: "", result: null }),
    ),
  ];
}

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, async (app) => {
      const contestants = await contestantsOf(app, pool);
      sayMachine();
      const figures = await runRounds(contestants, { ...ROUNDS, databaseCpuUs: database.cpuUs });
      say(
        `Changes of a status, ${ROUNDS.workers} at a time, medians of ${ROUNDS.rounds} rounds of ${ROUNDS.seconds} s`,
      );
      sayFigures(figures);
    }),
  ),
);
