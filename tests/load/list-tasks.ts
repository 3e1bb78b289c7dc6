// Does a page of ListTasks cost the same however many tasks there are?
//
// The use case is asked for pages of 50, of a tenant that has nearly all of the tasks and of one that has a thousandth of
// them, while the table grows. What is asked for:
//
//   newest        the first page
//   deep          a page in the middle
//   pending       a filter on the status that one task in ten has
//   active        one that a task in a thousand has
//   urgent        sorted by priority
//   changed       sorted by the time of the last change

import type { Actor } from "@helix-zed/domain";
import { sized } from "@helix-zed/harness/test-size.ts";
import type { Pool } from "pg";
import type { App } from "../../services/task-service/src/application/app.ts";
import { listTasks } from "../../services/task-service/src/application/list-tasks.ts";
import type { ListOptions } from "../../services/task-service/src/application/page-tokens.ts";
import type { Condition } from "../../services/task-service/src/domain/filter/filter-condition.ts";
import type { TaskStatus } from "../../services/task-service/src/domain/task-lifecycle.ts";
import { ada, bob, withApp, withPool } from "./measuring/load-app.ts";
import { type LoadDatabase, withLoadDatabase } from "./measuring/load-database.ts";
import { addTasks } from "./measuring/many-tasks.ts";
import { say, sayFigures, sayGoal, sayMachine } from "./measuring/report.ts";
import { type Contestant, type Figure, runRounds } from "./measuring/rounds.ts";

const P99_MS_GOAL = 40;
const TABLE_SIZES = [10_000, 100_000, ...(sized({ normal: 0, full: 1 }) === 1 ? [1_000_000] : [])];
/** One at a time: how long a page takes, not how many fit into a second. */
const ROUNDS = {
  rounds: 3,
  seconds: sized({ normal: 0.25, full: 2 }),
  workers: 1,
  warmUpSeconds: sized({ normal: 0.25, full: 1 }),
};
const PAGE: ListOptions = { pageSize: 50, pageToken: "", where: null, orderBy: [] };
const PAGES_DEEP = 20;

const questions: Readonly<Record<string, { readonly actor: Actor; readonly options: ListOptions }>> = {
  newest: { actor: ada, options: PAGE },
  deep: { actor: ada, options: PAGE },
  pending: { actor: ada, options: { ...PAGE, where: hasStatus("pending") } },
  active: { actor: ada, options: { ...PAGE, where: hasStatus("active") } },
  urgent: { actor: ada, options: { ...PAGE, orderBy: [{ field: "priority", isDescending: false }] } },
  changed: { actor: ada, options: { ...PAGE, orderBy: [{ field: "updated_at", isDescending: true }] } },
  "small tenant": { actor: bob, options: PAGE },
  "small, urgent": {
    actor: bob,
    options: { ...PAGE, where: hasStatus("completed"), orderBy: [{ field: "priority", isDescending: false }] },
  },
};

function hasStatus(value: TaskStatus): Condition {
  return { kind: "compare", field: "status", comparison: "=", value };
}

async function deepToken(app: App): Promise<string> {
  let pageToken = "";
  for (let page = 0; page < PAGES_DEEP; page++) {
    pageToken = (await listTasks(app, ada, { ...PAGE, pageSize: 250, pageToken })).nextPageToken;
  }
  return pageToken;
}

async function measure(app: App, pool: Pool, database: LoadDatabase): Promise<Figure[]> {
  const pageToken = await deepToken(app);
  const contestants = Object.entries(questions).map(([name, { actor, options }]): Contestant => {
    const asked = name === "deep" ? { ...options, pageToken } : options;
    return { name, operation: () => listTasks(app, actor, asked) };
  });
  const raw = { name: "raw", operation: () => pool.query(SELECT, [50]) };
  return runRounds([raw, ...contestants], { ...ROUNDS, databaseCpuUs: database.cpuUs });
}

const SELECT = "select * from tasks where tenant = 'user:ada' order by id desc limit $1";

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, async (app) => {
      const slowestMs: number[] = [];
      sayMachine();
      for (const upTo of TABLE_SIZES) {
        await addTasks(pool, { upTo });
        const figures = await measure(app, pool, database);
        say(`\nListTasks, pages of 50 out of ${upTo} tasks, medians of ${ROUNDS.rounds} rounds of ${ROUNDS.seconds} s`);
        sayFigures(figures);
        slowestMs.push(Math.max(...figures.map(({ p99Ms }) => p99Ms)));
      }
      sayGoal("p99 of the slowest question, in ms", Math.max(...slowestMs), { atMost: P99_MS_GOAL });
      say(`p99 of the slowest question by size of the table: ${slowestMs.map((ms) => ms.toFixed(1)).join(" → ")} ms`);
    }),
  ),
);
