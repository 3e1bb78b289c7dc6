import { tenantOf } from "@helix-zed/domain";
import { sized } from "@helix-zed/harness/test-size.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareValues, type Condition, conditionOf, fulfils } from "../domain/filter/filter-condition.ts";
import {
  type FieldValues,
  taskFields,
  valuesOfTask,
  valuesOfWorkSession,
  workSessionFields,
} from "../domain/filter/filter-fields.ts";
import type { OrderTerm } from "../domain/filter/order-of.ts";
import { printFilter } from "../domain/filter/print-filter.ts";
import type { TaskFacts } from "../domain/task.ts";
import { anyFilter, anyOrder } from "../testing/any-filter.ts";
import { makeRandomSessions, makeRandomTasks } from "../testing/random-rows.ts";
import { person, TestApp } from "../testing/test-app.ts";
import { listTasks } from "./list-tasks.ts";
import { listWorkSessions } from "./list-work-sessions.ts";

const someone = person("rosa");
const limits = { filterCharsMax: 100_000, filterTermsMax: 1_000 };
const all = { where: null, orderBy: [], pageSize: 1_000, pageToken: "" };
const runs = { numRuns: sized({ normal: 150, full: 3_000 }) };

let app: TestApp;
let task: TaskFacts;
beforeAll(async () => {
  app = await TestApp.open();
  task = await app.createTask({}, someone);
  await makeRandomTasks(app, tenantOf(someone) ?? "", 150);
  await makeRandomSessions(app, task, 150);
});
afterAll(() => app.close());

function ids(items: readonly { readonly id: string }[]): string[] {
  return items.map(({ id }) => id);
}

/** The rows in the order that is asked for, by another way of sorting. */
function sorted<Item extends { readonly id: string }>(
  items: readonly Item[],
  order: readonly OrderTerm[],
  valuesOf: (item: Item) => FieldValues,
): Item[] {
  return items.toSorted((a, b) => {
    for (const { field, isDescending } of order) {
      const compared = compareValues(valuesOf(a)[field] ?? "", valuesOf(b)[field] ?? "");
      if (compared !== 0) return isDescending ? -compared : compared;
    }
    const byId = a.id < b.id ? -1 : 1;
    return order.at(-1)?.isDescending === true ? -byId : byId;
  });
}

describe("a filter of a list", () => {
  test("finds exactly the tasks that fulfil it in memory", async () => {
    const { items } = await listTasks(app, someone, all);
    await fc.assert(
      fc.asyncProperty(anyFilter(taskFields), async (node) => {
        const where = conditionOf(printFilter(node), taskFields, limits);
        const expected = items.filter((item) => where !== null && fulfils(where, valuesOfTask(item)));
        expect(ids((await listTasks(app, someone, { ...all, where })).items)).toEqual(ids(expected));
      }),
      runs,
    );
  });

  test("finds exactly the work sessions that fulfil it in memory", async () => {
    const { items } = await listWorkSessions(app, someone, { ...all, taskId: task.id });
    expect(items.length).toBeGreaterThan(100);
    await fc.assert(
      fc.asyncProperty(anyFilter(workSessionFields), async (node) => {
        const where = conditionOf(printFilter(node), workSessionFields, limits);
        const expected = items.filter((item) => where !== null && fulfils(where, valuesOfWorkSession(item)));
        const found = await listWorkSessions(app, someone, { ...all, where, taskId: task.id });
        expect(ids(found.items)).toEqual(ids(expected));
      }),
      runs,
    );
  });

  test("cannot be made to say anything but a comparison", async () => {
    const text = `name = "' or true; drop table tasks; --" OR name = "\\\\' or 1=1"`;
    const where = conditionOf(text, taskFields, limits);
    expect((await listTasks(app, someone, { ...all, where })).items).toEqual([]);
    expect((await listTasks(app, someone, all)).items.length).toBeGreaterThan(100);
  });
});

/** All pages, one after the other, and what happens between them. */
async function pages(
  where: Condition | null,
  orderBy: readonly OrderTerm[],
  pageSize: number,
  between: () => Promise<void>,
) {
  const seen: TaskFacts[] = [];
  let pageToken = "";
  do {
    const page = await listTasks(app, someone, { where, orderBy, pageSize, pageToken });
    seen.push(...page.items);
    pageToken = page.nextPageToken;
    await between();
  } while (pageToken !== "");
  return seen;
}

async function nothing(): Promise<void> {}

describe("the pages of a list", () => {
  test("are in any order that is asked for, each row once", async () => {
    const { items } = await listTasks(app, someone, all);
    const sizes = fc.integer({ min: 7, max: 60 });
    await fc.assert(
      fc.asyncProperty(anyOrder(taskFields), sizes, async (order, size) => {
        const orderBy = order.length === 0 ? [{ field: "priority", isDescending: true }] : order;
        expect(ids(await pages(null, orderBy, size, nothing))).toEqual(ids(sorted(items, orderBy, valuesOfTask)));
      }),
      { numRuns: sized({ normal: 60, full: 1_000 }) },
    );
  });

  test("of work sessions put those that nobody holds first, and show each once", async () => {
    const { items } = await listWorkSessions(app, someone, { ...all, taskId: task.id });
    await fc.assert(
      fc.asyncProperty(anyOrder(workSessionFields), fc.integer({ min: 7, max: 60 }), async (order, pageSize) => {
        const orderBy = [{ field: "runner", isDescending: false }, ...order.filter(({ field }) => field !== "runner")];
        const seen = [];
        let pageToken = "";
        do {
          const page = await listWorkSessions(app, someone, { ...all, taskId: task.id, orderBy, pageSize, pageToken });
          seen.push(...page.items);
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        expect(ids(seen)).toEqual(ids(sorted(items, orderBy, valuesOfWorkSession)));
      }),
      { numRuns: sized({ normal: 30, full: 500 }) },
    );
  });

  test("show each row once, whose place stays the same, while others come, change and go", async () => {
    const stays = { kind: "compare", field: "app_id", comparison: "=", value: "stays" } as const;
    const unmoved = ["name", "priority", "user_id", "task_type", "created_at", "app_id"] as const;
    const movable = Object.fromEntries(unmoved.map((name) => [name, taskFields[name]]));
    await app.sql("update tasks set app_id = 'stays' where tenant = $1 and id in (select id from tasks limit 60)", [
      tenantOf(someone),
    ]);
    const before = await listTasks(app, someone, { ...all, where: stays });
    const disturb = async (): Promise<void> => {
      await makeRandomTasks(app, tenantOf(someone) ?? "", 5);
      await app.sql("update tasks set updated_at = now() where tenant = $1", [tenantOf(someone)]);
      await app.sql(
        "delete from tasks where id in (select id from tasks where id like 'row%' and app_id <> 'stays' order by random() limit 4)",
      );
    };
    await fc.assert(
      fc.asyncProperty(anyOrder(movable), fc.integer({ min: 20, max: 60 }), async (orderBy, size) => {
        const seen = (await pages(null, orderBy, size, disturb)).filter(({ appId }) => appId === "stays");
        expect(ids(seen).toSorted()).toEqual(ids(before.items).toSorted());
      }),
      { numRuns: sized({ normal: 15, full: 200 }) },
    );
  }, 60_000);

  test.each([
    ["another type", ["x", "row"]],
    ["too many values", [0, "row", "row"]],
    ["too few", [0]],
    ["a number that no column holds", [2 ** 40, "row"]],
    ["half a character", [0, "\ud800"]],
    ["none at all", null],
  ])("refuse a token that was made up with %s", async (_name, key) => {
    const asked = { ...all, orderBy: [{ field: "priority", isDescending: false }], pageSize: 2 };
    const { nextPageToken } = await listTasks(app, someone, asked);
    const parts: unknown = JSON.parse(Buffer.from(nextPageToken, "base64url").toString());
    const forged = JSON.stringify([...(Array.isArray(parts) ? parts.slice(0, 2) : []), key]);
    const pageToken = Buffer.from(forged).toString("base64url");
    await expect(listTasks(app, someone, { ...asked, pageToken })).rejects.toMatchObject({
      reason: "PAGE_TOKEN_INVALID",
    });
  });

  test("have tokens that are good for their filter, order, task and tenant only", async () => {
    const active = conditionOf("priority >= -9", taskFields, limits);
    const orderBy = [{ field: "priority", isDescending: false }];
    const asked = { where: active, orderBy, pageSize: 2 };
    const { nextPageToken: pageToken } = await listTasks(app, someone, { ...asked, pageToken: "" });
    await expect(listTasks(app, someone, { ...asked, pageToken, pageSize: 5 })).resolves.toMatchObject({});
    const others = [
      listTasks(app, someone, { ...asked, pageToken, where: null }),
      listTasks(app, someone, { ...asked, pageToken, orderBy: [] }),
      listTasks(app, someone, { ...asked, pageToken, orderBy: [{ field: "priority", isDescending: true }] }),
      listTasks(app, person("eve"), { ...asked, pageToken }),
      listWorkSessions(app, someone, { ...asked, pageToken, taskId: task.id }),
    ];
    for (const other of await Promise.allSettled(others)) {
      expect(other).toMatchObject({ status: "rejected", reason: { reason: "PAGE_TOKEN_INVALID" } });
    }
  });
});
