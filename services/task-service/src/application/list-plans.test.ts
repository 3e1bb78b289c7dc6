// A page of a large list is a range of an index: how PostgreSQL means to find it, asked of PostgreSQL itself

import { tenantOf } from "@helix-zed/domain";
import { closeDatabase, inTenant, openDatabase, statementsOf } from "@helix-zed/persistence";
import type { MikroORM } from "@mikro-orm/postgresql";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conditionOf } from "../domain/filter/filter-condition.ts";
import { taskFields, valuesOfTask } from "../domain/filter/filter-fields.ts";
import { withTieBreak } from "../persistence/keyset.ts";
import { TaskReader } from "../persistence/task-repository.ts";
import { makeRandomTasks } from "../testing/random-rows.ts";
import { person, TestApp } from "../testing/test-app.ts";
import { listTasks } from "./list-tasks.ts";
import { listPage, type ListOptions } from "./page-tokens.ts";

const rosa = person("rosa");
const tenant = tenantOf(rosa) ?? "";
const TASKS = 6_000;
const PAGE: ListOptions = { pageSize: 50, pageToken: "", where: null, orderBy: [] };
const limits = { pageSizeDefault: 50, pageSizeMax: 1_000, pageMsMax: 5_000, filterCharsMax: 1_000, filterTermsMax: 20 };

let app: TestApp;
/** The service's door: as its role, for its tenant. */
let door: MikroORM;
beforeAll(async () => {
  app = await TestApp.open();
  door = await openDatabase({
    url: app.url,
    applicationName: "test",
    entities: [],
    rowSecurity: true,
    connectionsMax: 1,
  });
  await makeRandomTasks(app, tenant, TASKS);
  await makeRandomTasks(app, "user:other", TASKS);
  // Most have been completed, a tenth is pending, one in a thousand active.
  await app.sql(
    `update tasks set status = made.status, completed_at = case made.status when 'completed' then created_at end
     from (
       select id as made_id, case when n % 1000 = 1 then 'active' when n % 10 = 3 then 'pending' else 'completed' end as status
       from (select id, row_number() over (order by id) as n from tasks where tenant = $1) as numbered
     ) as made where id = made_id`,
    [tenant],
  );
  await app.sql("vacuum analyze tasks");
}, 60_000);
afterAll(async () => {
  await closeDatabase(door);
  await app.close();
});

interface Plan {
  readonly "Node Type": string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly Plan[];
}

/** How the database means to find what it is asked for a page. */
async function planOf(options: ListOptions): Promise<Plan[]> {
  let plans: readonly Plan[] = [];
  const run = async (text: string, values: readonly unknown[]) => {
    const explained = statementsOf(door).run<{ "QUERY PLAN": { Plan: Plan }[] }>(
      `explain (format json) ${text}`,
      values,
    );
    plans = (await explained).flatMap((row) => row["QUERY PLAN"].map(({ Plan: plan }) => plan));
    return [];
  };
  const reader = new TaskReader({ run }, rosa);
  const listing = { kind: "tasks", fields: taskFields, boundTo: [tenant], isNewestFirst: true, limits };
  const read = reader.page.bind(reader);
  await inTenant(tenant, () => listPage({ ...listing, valuesOf: valuesOfTask, read }, options));
  return flat(plans);
}

function flat(plans: readonly Plan[]): Plan[] {
  return plans.flatMap((plan) => [plan, ...flat(plan.Plans ?? [])]);
}

const fields = Object.keys(taskFields);
const orders = ["", ...fields, ...fields.map((field) => `${field} desc`)];

describe("a page of a large list, sorted by one field", () => {
  test.each(orders)("is read from an index that has this order: %s", async (order) => {
    const [field = "", direction] = order.split(" ");
    const orderBy = order === "" ? [] : [{ field, isDescending: direction === "desc" }];
    const first = await listTasks(app, rosa, { ...PAGE, orderBy });
    const [begin, further] = [
      await planOf({ ...PAGE, orderBy }),
      await planOf({ ...PAGE, orderBy, pageToken: first.nextPageToken }),
    ];
    for (const node of [...begin, ...further]) expect(node["Node Type"]).not.toMatch(/Sort|Seq Scan|Bitmap/);
    // A further page begins where the one before ended.
    expect(further.map((node) => node["Index Cond"]).join()).toMatch(
      order === "" ? /\bid </ : new RegExp(`${field}, id\\)`),
    );
  });
});

describe("a page with a filter", () => {
  test.each(["status = active", "status = pending", "created_at > 2026-01-01T00:00:00Z"])(
    "does not read the whole table: %s",
    async (filter) => {
      const plan = await planOf({ ...PAGE, where: conditionOf(filter, taskFields, limits) });
      expect(plan.map((node) => node["Node Type"])).not.toContain("Seq Scan");
    },
  );
});

describe("pages of one filter with many values", () => {
  test("are planned for each of them, however often they were asked for", async () => {
    const statements = statementsOf(door);
    const reader = new TaskReader(statements, rosa);
    const page = { order: withTieBreak([], true), after: null, limit: 51, msMax: 5_000 };
    for (let count = 0; count < 20; count++) {
      const where = conditionOf(count < 10 ? "status = pending" : "status = active", taskFields, limits);
      await inTenant(tenant, () => reader.page({ ...page, where }));
    }
    const [plans] = await statements.run(
      `select sum(generic_plans)::int as once_for_all, sum(custom_plans)::int > 10 as each_time from pg_prepared_statements
       where statement like '%"status" = $%'`,
      [],
    );
    expect(plans).toEqual({ once_for_all: 0, each_time: true });
  });
});

describe("a page that takes too long", () => {
  test("is refused, and the next one is not", async () => {
    const hasty = await TestApp.open({ pageMsMax: 50 }, app.url);
    try {
      await whileNobodyReads("tasks", async () => {
        await expect(listTasks(hasty, rosa, PAGE)).rejects.toMatchObject({ reason: "PAGE_TOO_SLOW" });
      });
      expect((await listTasks(hasty, rosa, PAGE)).items).toHaveLength(50);
    } finally {
      await hasty.close();
    }
  });
});

async function whileNobodyReads(table: string, work: () => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: app.url });
  await client.connect();
  try {
    await client.query(`begin; lock table ${table} in access exclusive mode`);
    await work();
  } finally {
    await client.end();
  }
}
