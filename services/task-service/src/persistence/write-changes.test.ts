import { closeDatabase, inTenant, openDatabase, transactDirectly } from "@helix-zed/persistence";
import type { ChangeSet } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Task, type TaskFacts } from "../domain/task.ts";
import { aSession, person, TestApp } from "../testing/test-app.ts";
import { updateTaskStatus } from "../application/update-task-status.ts";
import { writingOf } from "./write-changes.ts";

let app: TestApp;
let orm: MikroORM;
beforeAll(async () => {
  app = await TestApp.open();
  orm = await openDatabase({ url: app.url, applicationName: "test", entities: [Task], rowSecurity: true });
});
afterAll(async () => {
  await closeDatabase(orm);
  await app.close();
});

/** What is written when a task with these facts becomes active. */
function activating(facts: TaskFacts) {
  const em = orm.em.fork();
  const task = em.merge(Task, { ...facts });
  task.move("activate", { now: new Date() });
  em.getUnitOfWork().computeChangeSets();
  const changes: ChangeSet<object>[] = em.getUnitOfWork().getChangeSets();
  const { id, tenant } = facts;
  return writingOf(changes, [{ resource: task, kind: "task", id, tenant, taskId: id, before: {}, isGone: false }]);
}

function inStatus(status: string) {
  return (name: string) => ({ name, status });
}

describe("writing what has changed", () => {
  test("is one statement, the same for the same kind of changes, whatever the values are", async () => {
    const [one, other] = [await app.createTask({ name: "One" }), await app.createTask({ name: "It's $1; another" })];
    expect(activating(one).text).toBe(activating(other).text);
    expect(activating(one).values).not.toEqual(activating(other).values);
  });

  test("fails as a whole where a row is not there that is to be changed", async () => {
    const task = await app.createTask();
    const writing = activating({ ...task, id: "tsk_gone" });
    const written = inTenant(task.tenant, () =>
      transactDirectly(orm, async (transaction) => transaction.finishWith([writing])),
    );
    await expect(written).rejects.toMatchObject({ code: "22012" });
    expect(await app.sql("select from change_log where ref_id = 'tsk_gone'")).toEqual([]);
  });

  test("changes no column but those that have changed, to the microsecond", async () => {
    const { session } = await app.createTaskWithSession();
    await app.sql("update work_sessions set created_at = '2026-01-01T00:00:00.123456Z', version = 7 where id = $1", [
      session.id,
    ]);
    await updateTaskStatus(app, person(), { taskId: session.taskId, action: "cancel", reason: "" });
    const [row] = await app.sql<{ at: string; version: number; status: string }>(
      "select to_json(created_at) #>> '{}' as at, version, status from work_sessions where id = $1",
      [session.id],
    );
    expect(row).toEqual({ at: "2026-01-01T00:00:00.123456+00:00", version: 8, status: "cancelled" });
  });

  test("logs many changes of one transaction in their order: the new task, the sessions by age", async () => {
    const names = Array.from({ length: 50 }, (_, number) => `Session ${number}`);
    const task = await app.createTask({ workSessions: names.map(aSession) });
    await updateTaskStatus(app, person(), { taskId: task.id, action: "cancel", reason: "" });
    const rows = await app.sql<{ name: string; status: string }>(
      "select after ->> 'name' as name, after ->> 'status' as status from change_log where task_id = $1 order by id",
      [task.id],
    );
    expect(rows).toEqual([
      ...[task.name, ...names].map(inStatus("pending")),
      ...[...names, task.name].map(inStatus("cancelled")),
    ]);
  });
});
