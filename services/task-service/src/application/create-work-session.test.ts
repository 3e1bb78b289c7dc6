import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, TestApp } from "../testing/test-app.ts";
import { type CreateWorkSession, createWorkSession } from "./create-work-session.ts";
import { updateWorkSessionStatus } from "./update-work-session-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open({ workSessionsPerTaskMax: 5 });
});
afterAll(() => app.close());

function add(taskId: string, more: Partial<CreateWorkSession> = {}, actor = person()) {
  const nothing = { helixSessionId: null, parentWorkSessionId: null, spawnedBySessionId: null, requestId: null };
  return createWorkSession(app, actor, { ...aSession("more"), ...nothing, taskId, ...more });
}

async function cancel(workSessionId: string) {
  await updateWorkSessionStatus(app, person(), { workSessionId, status: "cancelled", reason: "", result: null });
}

describe("adding a work session", () => {
  test("makes it part of the task", async () => {
    const { task, session } = await app.createTaskWithSession();
    const added = await add(task.id, { name: "review" });
    expect(added).toMatchObject({ taskId: task.id, name: "review", status: "pending", taskType: task.taskType });
    expect((await app.sessionsOf(task)).map(({ id }) => id)).toEqual([session.id, added.id]);
  });

  test("keeps the Helix session that the caller gives, for this work session alone", async () => {
    const { task } = await app.createTaskWithSession();
    const helixSessionId = `helix_${randomUUID()}`;
    expect((await add(task.id, { helixSessionId })).helixSessionId).toBe(helixSessionId);
    const again = add(task.id, { helixSessionId });
    await expect(again).rejects.toMatchObject({
      reason: "HELIX_SESSION_TAKEN",
      metadata: { helix_session: helixSessionId },
    });
  });

  test("gives a Helix session to one of many who want it at the same time", async () => {
    const tasks = await Promise.all(Array.from({ length: 8 }, () => app.createTask()));
    const helixSessionId = `helix_${randomUUID()}`;
    const results = await Promise.allSettled(tasks.map(({ id }) => add(id, { helixSessionId })));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("stops at the limit, also when many come at the same time", async () => {
    const { task } = await app.createTaskWithSession();
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => add(task.id)));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(5);
    for (const { reason } of refused) expect(reason).toMatchObject({ reason: "TOO_MANY_WORK_SESSIONS" });
    expect(await app.sessionsOf(task)).toHaveLength(5);
  });

  test("is safe to repeat with a request id", async () => {
    const { task } = await app.createTaskWithSession();
    const requestId = randomUUID();
    const first = await add(task.id, { requestId });
    expect((await add(task.id, { requestId })).id).toBe(first.id);
    await expect(add(task.id, { requestId, name: "other" })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    await expect(app.createTask({ requestId })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });

  test("does not find another tenant's task", async () => {
    const { task } = await app.createTaskWithSession();
    await expect(add(task.id, {}, person("eve"))).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
  });
});

describe("a spawn", () => {
  test("remembers the session that it was split off and the one that asked for it", async () => {
    const { task, session } = await app.createTaskWithSession();
    const spawn = { parentWorkSessionId: session.id, spawnedBySessionId: session.helixSessionId };
    expect(await add(task.id, spawn)).toMatchObject(spawn);
    const coordinated = { spawnedBySessionId: task.coordinatorSessionId };
    expect(await add(task.id, coordinated)).toMatchObject(coordinated);
  });

  test("cannot come from a session that has ended", async () => {
    const { task, session } = await app.createTaskWithSession({ taskType: "interactive" });
    await cancel(session.id);
    await expect(add(task.id, { parentWorkSessionId: session.id })).rejects.toMatchObject({ reason: "PARENT_ENDED" });
    const spawned = add(task.id, { spawnedBySessionId: session.helixSessionId });
    await expect(spawned).rejects.toMatchObject({ reason: "SPAWNER_ENDED" });
  });

  test("descends from at most as many as the limit says, by parents and by askers alike", async () => {
    const shallow = await TestApp.open({ spawnDepthMax: 3 }, app.url);
    const { task, session } = await app.createTaskWithSession();
    let last = session;
    const spawn = (more: Partial<CreateWorkSession>) =>
      createWorkSession(shallow, person(), {
        ...aSession("deeper"),
        taskId: task.id,
        helixSessionId: null,
        parentWorkSessionId: null,
        spawnedBySessionId: null,
        requestId: null,
        ...more,
      });
    for (let depth = 1; depth <= 3; depth++) {
      last = await spawn(depth % 2 ? { parentWorkSessionId: last.id } : { spawnedBySessionId: last.helixSessionId });
    }
    for (const more of [{ parentWorkSessionId: last.id }, { spawnedBySessionId: last.helixSessionId }]) {
      await expect(spawn(more)).rejects.toMatchObject({ reason: "SPAWN_TOO_DEEP", metadata: { limit: "3" } });
    }
    await shallow.close();
  });

  test("cannot come from a session of another task", async () => {
    const { task } = await app.createTaskWithSession();
    const other = await app.createTaskWithSession();
    const split = add(task.id, { parentWorkSessionId: other.session.id });
    await expect(split).rejects.toMatchObject({ reason: "PARENT_NOT_IN_TASK" });
    const spawned = add(task.id, { spawnedBySessionId: other.task.coordinatorSessionId });
    await expect(spawned).rejects.toMatchObject({ reason: "SPAWNER_NOT_IN_TASK" });
  });
});
