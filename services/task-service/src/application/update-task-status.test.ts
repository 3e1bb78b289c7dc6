import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, runner, TestApp } from "../testing/test-app.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { createWorkSession } from "./create-work-session.ts";
import { deleteTask } from "./delete-task.ts";
import { getTask } from "./get-task.ts";
import { getWorkSession } from "./get-work-session.ts";
import { updateTaskStatus } from "./update-task-status.ts";
import { updateWorkSessionStatus } from "./update-work-session-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

function move(taskId: string, action: "activate" | "complete" | "fail" | "cancel", more: object = {}) {
  return updateTaskStatus(app, person(), { taskId, action, reason: "", ...more });
}

async function activate(workSessionId: string) {
  const facts = { workSessionId, status: "active", reason: "", result: null } as const;
  await updateWorkSessionStatus(app, person(), facts);
}

describe("the status of a task", () => {
  test("changes as the lifecycle says, with its times", async () => {
    const task = await app.createTask({ taskType: "interactive" });
    const active = await move(task.id, "activate");
    expect(active).toMatchObject({ status: "active", version: 2, completedAt: null });
    expect(active.startedAt).not.toBeNull();
    const done = await move(task.id, "complete", { reason: "it works" });
    expect(done).toMatchObject({
      status: "completed",
      statusReason: "it works",
      version: 3,
      startedAt: active.startedAt,
    });
    expect(done.completedAt).not.toBeNull();
  });

  test("does not change where the lifecycle has no way", async () => {
    const task = await app.createTask();
    await expect(move(task.id, "complete")).rejects.toMatchObject({ reason: "TASK_STATUS_CONFLICT" });
    await move(task.id, "cancel");
    for (const action of ["activate", "complete", "fail", "cancel"] as const) {
      await expect(move(task.id, action)).rejects.toMatchObject({ reason: "TASK_STATUS_CONFLICT" });
    }
  });

  test("does not change for a caller who has not seen what it is now", async () => {
    const task = await app.createTask();
    await move(task.id, "activate", { expectedVersion: 1 });
    const late = move(task.id, "cancel", { expectedVersion: 1 });
    await expect(late).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("active");
  });

  test("has one winner when many change it at the same time", async () => {
    const task = await app.createTask({ taskType: "interactive" });
    await move(task.id, "activate");
    const actions = Array.from(
      { length: 20 },
      (_, index) => (["complete", "fail", "cancel"] as const)[index % 3] ?? "fail",
    );
    const results = await Promise.allSettled(actions.map((action) => move(task.id, action)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "TASK_STATUS_CONFLICT" });
    }
    const stored = await getTask(app, person(), { taskId: task.id });
    expect(stored.status).toBe(won[0]?.value.status);
    expect(stored.version).toBe(3);
  });
});

describe("the end of a task", () => {
  test("cancels its live sessions when it is cancelled, and lets go of their leases", async () => {
    const task = await app.createTask({ workSessions: [aSession("waits"), aSession("works"), aSession("done")] });
    const [, works, done] = await app.sessionsOf(task);
    if (works === undefined || done === undefined) throw new Error("Sessions are missing.");
    await claimWorkSession(app, runner, { workSessionId: works.id, runner: "r1" });
    await activate(works.id);
    await activate(done.id);
    const facts = { workSessionId: done.id, reason: "", result: null };
    await updateWorkSessionStatus(app, person(), { ...facts, status: "completed" });
    await move(task.id, "cancel");
    const sessions = await app.sessionsOf(task);
    expect(sessions.map(({ status, statusReason, runner: held }) => [status, statusReason, held])).toEqual([
      ["cancelled", "TASK_CANCELLED", null],
      ["cancelled", "TASK_CANCELLED", null],
      ["completed", "", null],
    ]);
  });

  test("completes the sessions that are at work when it is completed, and cancels the others", async () => {
    const task = await app.createTask({
      taskType: "interactive",
      workSessions: [aSession("works"), aSession("waits")],
    });
    const [works] = await app.sessionsOf(task);
    await activate(works?.id ?? "");
    await move(task.id, "complete");
    expect((await app.sessionsOf(task)).map(({ status }) => status)).toEqual(["completed", "cancelled"]);
  });

  test("keeps anything from being added", async () => {
    const task = await app.createTask();
    await move(task.id, "cancel");
    const asked = { taskId: task.id, helixSessionId: null, parentWorkSessionId: null, spawnedBySessionId: null };
    const late = createWorkSession(app, person(), { ...asked, ...aSession("late"), requestId: null });
    await expect(late).rejects.toMatchObject({ reason: "TASK_ENDED" });
  });
});

describe("deleting a task", () => {
  test("takes its sessions with it", async () => {
    const { task, session } = await app.createTaskWithSession();
    await deleteTask(app, person(), { taskId: task.id });
    await expect(getTask(app, person(), { taskId: task.id })).rejects.toMatchObject({ reason: "TASK_NOT_FOUND" });
    const gone = getWorkSession(app, person(), { workSessionId: session.id });
    await expect(gone).rejects.toMatchObject({ reason: "WORK_SESSION_NOT_FOUND" });
    expect(await app.sql("select 1 from sessions where task_id = $1", [task.id])).toHaveLength(0);
  });

  test("needs the etag to be right, if one is given", async () => {
    const task = await app.createTask();
    const wrong = deleteTask(app, person(), { taskId: task.id, expectedVersion: 7 });
    await expect(wrong).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    await deleteTask(app, person(), { taskId: task.id, expectedVersion: 1 });
  });
});

describe("another tenant", () => {
  test("gets the answer that there is no such task, word for word the one for a task that never was", async () => {
    const task = await app.createTask();
    const absent = `tsk_${"0".repeat(32)}`;
    const refusals = await Promise.all(
      [task.id, absent].map((taskId) =>
        Promise.all([
          getTask(app, person("eve"), { taskId }).catch(String),
          updateTaskStatus(app, person("eve"), { taskId, action: "cancel", reason: "" }).catch(String),
          deleteTask(app, person("eve"), { taskId }).catch(String),
        ]),
      ),
    );
    expect(refusals[0]).toEqual(refusals[1]);
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("pending");
  });
});
