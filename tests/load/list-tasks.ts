// Does a page of ListTasks cost the same however many tasks there are?
//
// The use case is asked for pages of 50, of a tenant that has nearly all of the tasks of a database and of one that has a
// thousandth of them. Databases of several sizes lie side by side and take turns, so that whatever else the machine does
// meets all sizes alike.

import { type Actor, Refusal } from "@helix-zed/domain";
import { sized } from "@helix-zed/harness/test-size.ts";
import type { App } from "../../services/task-service/src/application/app.ts";
import { listTasks } from "../../services/task-service/src/application/list-tasks.ts";
import type { ListOptions } from "../../services/task-service/src/application/page-tokens.ts";
import { type Condition, conditionOf } from "../../services/task-service/src/domain/filter/filter-condition.ts";
import { taskFields } from "../../services/task-service/src/domain/filter/filter-fields.ts";
import { defaultLimits } from "../../services/task-service/src/domain/limits.ts";
import { orderOf } from "../../services/task-service/src/domain/filter/order-of.ts";
import { ada, bob, withApp, withPool } from "./measuring/load-app.ts";
import { furtherDatabase, type LoadDatabase, withLoadDatabase } from "./measuring/load-database.ts";
import { addTasks } from "./measuring/many-tasks.ts";
import { say, sayGoal, sayMachine } from "./measuring/report.ts";
import { type Figure, runRounds } from "./measuring/rounds.ts";
import { median } from "./measuring/statistics.ts";

const P99_MS_GOAL = 40;
/** How much more of the database a page of the largest table may cost than one of the smallest. */
const GROWTH_GOAL = 1.5;
const SIZES = [10_000, 100_000, 1_000_000].slice(0, sized({ normal: 2, full: 3 }));
/** One at a time: how long a page takes, not how many fit into a second. */
const ROUNDS = {
  rounds: sized({ normal: 3, full: 7 }),
  seconds: sized({ normal: 0.2, full: 0.5 }),
  workers: 1,
  warmUpSeconds: sized({ normal: 0.2, full: 0.3 }),
};
/** A page in the middle begins after a third of the tasks; reading so far costs the measurement some seconds. */
const DEEP = { pageSize: 1_000, pages: sized({ normal: 4, full: 30 }) };
const PAGE: ListOptions = { pageSize: 50, pageToken: "", where: null, orderBy: [] };

interface Question {
  readonly name: string;
  readonly actor?: Actor;
  readonly filter?: string;
  readonly orderBy?: string;
  readonly isDeep?: boolean;
  /** Whether the smallest table has less than a page of them; larger ones cost more for that reason alone. */
  readonly isShort?: boolean;
}

const fields = Object.keys(taskFields);

/** What is to cost the same for any number of tasks. */
const flat: readonly Question[] = [
  { name: "newest" },
  { name: "in the middle", isDeep: true },
  { name: "status = pending (a tenth)", filter: "status = pending" },
  { name: "status = active (a thousandth)", filter: "status = active", isShort: true },
  { name: "pending, by priority", filter: "status = pending", orderBy: "priority" },
  ...fields.map((field) => ({ name: `by ${field}`, orderBy: field })),
  ...["priority", "name", "updated_at"].map((field) => ({
    name: `by ${field}, in the middle`,
    orderBy: `${field} desc`,
    isDeep: true,
  })),
  { name: "small tenant, newest", actor: bob, isShort: true },
  {
    name: "small tenant, completed, by priority",
    actor: bob,
    filter: "status = completed",
    orderBy: "priority",
    isShort: true,
  },
];

/** What is not: it reads more than its page. */
const growing: readonly Question[] = [
  { name: "by priority, created_at desc", orderBy: "priority, created_at desc" },
  { name: "name has it nowhere", filter: 'name:"nowhere"' },
];

function optionsOf({ filter = "", orderBy = "" }: Question): ListOptions {
  return { ...PAGE, where: conditionIn(filter), orderBy: orderOf(orderBy, taskFields, defaultLimits) };
}

function conditionIn(filter: string): Condition | null {
  return conditionOf(filter, taskFields, defaultLimits);
}

async function tokenOf(app: App, { isDeep = false, actor = ada }: Question, options: ListOptions): Promise<string> {
  let pageToken = "";
  const pages = isDeep ? DEEP.pages : 0;
  for (let page = 0; page < pages; page++) {
    pageToken = (await listTasks(app, actor, { ...options, pageSize: DEEP.pageSize, pageToken })).nextPageToken;
  }
  return pageToken;
}

/** One question, asked of all sizes in turn. */
async function measure(apps: readonly App[], question: Question, { cpuUs }: LoadDatabase): Promise<Figure[]> {
  const options = optionsOf(question);
  const tokens = await Promise.all(apps.map((app) => tokenOf(app, question, options)));
  const contestants = apps.map((app, place) => {
    const asked = { ...options, pageToken: tokens[place] ?? "" };
    const ask = (): Promise<unknown> => listTasks(app, question.actor ?? ada, asked);
    return { name: String(SIZES[place]), operation: () => ask().catch(acceptTooSlow) };
  });
  return runRounds(contestants, { ...ROUNDS, databaseCpuUs: cpuUs });
}

/** What reads more than its page is cut off some day; that is its time then. */
function acceptTooSlow(error: unknown): void {
  if (!(error instanceof Refusal && error.reason === "PAGE_TOO_SLOW")) throw error;
}

function sayQuestion(name: string, figures: readonly Figure[]): void {
  const cells = figures.map(({ databaseUs, p50Ms, p99Ms }) => {
    const times = `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`;
    return `${databaseUs.toFixed(0).padStart(7)} ${times.padStart(13)}`;
  });
  say(`${name.padEnd(38)} ${cells.join("   ")}`);
}

function growthOf(figures: readonly Figure[]): number {
  return (figures.at(-1)?.databaseUs ?? 0) / (figures[0]?.databaseUs ?? 1);
}

async function compare(apps: readonly App[], database: LoadDatabase): Promise<void> {
  say(`ListTasks, pages of 50, medians of ${ROUNDS.rounds} rounds of ${ROUNDS.seconds} s`);
  say(`${"".padEnd(38)} ${SIZES.map((size) => `${size} tasks`.padStart(21)).join("   ")}`);
  say(`${"".padEnd(38)} ${SIZES.map(() => "DB µs  p50 / p99 ms".padStart(21)).join("   ")}`);
  const slowestMs: number[] = [];
  const growths: number[] = [];
  for (const question of flat) {
    const figures = await measure(apps, question, database);
    sayQuestion(question.name, figures);
    slowestMs.push(figures.at(-1)?.p99Ms ?? 0);
    if (question.isShort !== true) growths.push(growthOf(figures));
  }
  sayGoal("p99 of the slowest question to the largest table, in ms", Math.max(...slowestMs), { atMost: P99_MS_GOAL });
  sayGoal("DB µs of the largest table / the smallest, the median question", median(growths), { atMost: GROWTH_GOAL });
  sayGoal("the same, the question that grows most", Math.max(...growths), { atMost: GROWTH_GOAL });
  say("\nWhat reads more than its page:");
  for (const question of growing) sayQuestion(question.name, await measure(apps, question, database));
}

/** Lets `work` have an app on a database of each size. */
async function withSizes(
  database: LoadDatabase,
  sizes: readonly number[],
  work: (apps: readonly App[]) => Promise<void>,
): Promise<void> {
  const [size, ...others] = sizes;
  if (size === undefined) return work([]);
  const url = await furtherDatabase(database, `tasks_${size}`);
  await withPool(url, (pool) => addTasks(pool, { upTo: size }));
  await withApp(url, (app) => withSizes(database, others, (apps) => work([app, ...apps])));
}

await withLoadDatabase(async (database) => {
  sayMachine();
  await withSizes(database, SIZES, (apps) => compare(apps, database));
});
