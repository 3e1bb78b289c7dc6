import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, TestApp } from "../testing/test-app.ts";
import { listTasks } from "./list-tasks.ts";
import { listWorkSessions } from "./list-work-sessions.ts";

const all = { where: null, orderBy: [] };

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

describe("a list of tasks", () => {
  test("shows the caller's own, newest first, each once over all pages", async () => {
    const mine = [];
    for (let index = 0; index < 7; index++) mine.push(await app.createTask({ name: `t${index}` }, person("carl")));
    await app.createTask({}, person("dora"));
    const seen = [];
    let pageToken = "";
    do {
      const page = await listTasks(app, person("carl"), { pageSize: 3, pageToken, ...all });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items);
      // What is created meanwhile does not move what is still to come.
      await app.createTask({ name: "late" }, person("carl"));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen.map(({ id }) => id)).toEqual(mine.map(({ id }) => id).toReversed());
  });

  test("has a page of 50 unless told otherwise", async () => {
    await Promise.all(Array.from({ length: 51 }, () => app.createTask({}, person("erik"))));
    const page = await listTasks(app, person("erik"), { pageSize: 0, pageToken: "", ...all });
    expect(page.items).toHaveLength(50);
    const last = await listTasks(app, person("erik"), { pageSize: 0, pageToken: page.nextPageToken, ...all });
    expect(last).toMatchObject({ nextPageToken: "" });
    expect(last.items).toHaveLength(1);
  });

  test("takes a page token only from the one it was given to", async () => {
    await Promise.all(Array.from({ length: 3 }, () => app.createTask({}, person("fred"))));
    const { nextPageToken } = await listTasks(app, person("fred"), { pageSize: 1, pageToken: "", ...all });
    for (const pageToken of ["x", "e30", `${nextPageToken}A`]) {
      await expect(async () =>
        listTasks(app, person("fred"), { pageSize: 1, pageToken, ...all }),
      ).rejects.toMatchObject({
        reason: "PAGE_TOKEN_INVALID",
      });
    }
    await expect(async () =>
      listTasks(app, person("gina"), { pageSize: 1, pageToken: nextPageToken, ...all }),
    ).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
  });
});

describe("a list of work sessions", () => {
  test("shows those of one task, oldest first, each once over all pages", async () => {
    const task = await app.createTask({ workSessions: ["a", "b", "c", "d", "e"].map(aSession) });
    const names = [];
    let pageToken = "";
    do {
      const page = await listWorkSessions(app, person(), { taskId: task.id, pageSize: 2, pageToken, ...all });
      names.push(...page.items.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(names).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("of a task that is not the caller's is not found", async () => {
    const task = await app.createTask();
    const page = { taskId: task.id, pageSize: 0, pageToken: "", ...all };
    await expect(listWorkSessions(app, person("eve"), page)).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
  });
});
