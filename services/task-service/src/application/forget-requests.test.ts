import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, TestApp } from "../testing/test-app.ts";
import { createWorkSession } from "./create-work-session.ts";
import { forgetRequests } from "./forget-requests.ts";
import { updateTaskStatus } from "./update-task-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open({ requestRetentionMs: 60_000 });
});
afterAll(() => app.close());

const nothing = { helixSessionId: null, parentWorkSessionId: null, spawnedBySessionId: null };

function ledger(requestId: string) {
  return app.sql<{ tenant: string }>("select tenant from request_ledger where request_id = $1 order by tenant", [
    requestId,
  ]);
}

describe("the request ledger", () => {
  test("remembers nothing of a create that was refused", async () => {
    const { task } = await app.createTaskWithSession();
    await updateTaskStatus(app, person(), { taskId: task.id, action: "cancel", reason: "" });
    const requestId = randomUUID();
    const late = { ...aSession("late"), ...nothing, requestId };
    await expect(createWorkSession(app, person(), { ...late, taskId: task.id })).rejects.toMatchObject({
      reason: "TASK_ENDED",
    });
    expect(await ledger(requestId)).toEqual([]);
    const other = await app.createTask();
    await expect(createWorkSession(app, person(), { ...late, taskId: other.id })).resolves.toMatchObject({
      name: "late",
    });
  });

  test("keeps each tenant's ids apart, and never answers one method with another's answer", async () => {
    const requestId = randomUUID();
    const mine = await app.createTask({ requestId }, person("ada"));
    const theirs = await app.createTask({ requestId }, person("bob"));
    expect(theirs.id).not.toBe(mine.id);
    expect(await ledger(requestId)).toHaveLength(2);
    const add = createWorkSession(app, person("ada"), { ...aSession("a"), ...nothing, requestId, taskId: mine.id });
    await expect(add).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });

  test("forgets what is old, in batches, and nothing else", async () => {
    const [old, young] = [Array.from({ length: 5 }, () => randomUUID()), randomUUID()];
    for (const requestId of [...old, young]) await app.createTask({ requestId });
    await app.sql("update request_ledger set created_at = now() - interval '61 seconds' where request_id = any($1)", [
      old,
    ]);
    expect(await forgetRequests(app, 3)).toBe(true);
    expect(await forgetRequests(app, 3)).toBe(false);
    expect(await app.sql("select from request_ledger where request_id = any($1)", [old])).toEqual([]);
    expect(await ledger(young)).toHaveLength(1);
    const [requestId = ""] = old;
    await expect(app.createTask({ requestId, name: "Another" })).resolves.toMatchObject({ name: "Another" });
  });
});
