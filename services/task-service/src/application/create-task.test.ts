import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, TestApp } from "../testing/test-app.ts";
import { deleteTask } from "./delete-task.ts";
import { getTask } from "./get-task.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

describe("creating a task", () => {
  test("keeps what was asked for, and begins as pending", async () => {
    const asked = {
      name: "Add search",
      taskType: "coding_session",
      priority: -3,
      config: { a: [1, { b: null }] },
    } as const;
    const task = await app.createTask({ ...asked, config: { a: [1, { b: null }] }, projectPath: "/work/shop" });
    expect(task).toMatchObject({ ...asked, projectPath: "/work/shop", status: "pending", version: 1, userId: "ada" });
    expect(task.id).toMatch(/^tsk_[0-9a-f]{32}$/);
    const { ...stored } = await getTask(app, person(), { taskId: task.id });
    expect(stored).toEqual({ ...task });
  });

  test("makes one session that does the whole of it where none is asked for", async () => {
    const { task, session } = await app.createTaskWithSession({ name: "Add search", description: "Full text." });
    expect(session).toMatchObject({
      taskId: task.id,
      name: "Add search",
      description: "Full text.",
      agentType: "zed_agent",
      status: "pending",
      taskType: "batch",
      attempt: 0,
      leaseEpoch: 0,
      runner: null,
    });
    expect(session.helixSessionId).toMatch(/^ses_[0-9a-f]{32}$/);
  });

  test("makes the sessions that are asked for, in their order, each with a Helix session of its own", async () => {
    const task = await app.createTask({ workSessions: [aSession("plan"), aSession("build"), aSession("test")] });
    const sessions = await app.sessionsOf(task);
    expect(sessions.map(({ name }) => name)).toEqual(["plan", "build", "test"]);
    const records = await app.sql<{ id: string; role: string; origin: string; work_session_id: string | null }>(
      "select id, role, origin, work_session_id from sessions where task_id = $1 order by role, work_session_id",
      [task.id],
    );
    expect(records).toEqual([
      { id: task.coordinatorSessionId, role: "task_coordinator", origin: "minted", work_session_id: null },
      ...sessions.map(({ id, helixSessionId }) => ({
        id: helixSessionId,
        role: "work_session",
        origin: "minted",
        work_session_id: id,
      })),
    ]);
  });

  test("leaves nothing behind when one part of it fails", async () => {
    const count = () =>
      app.sql("select (select count(*) from tasks) as tasks, (select count(*) from sessions) as sessions");
    const before = await count();
    const broken = { ...aSession("broken"), agentType: "\0" };
    await expect(app.createTask({ workSessions: [aSession("fine"), broken] })).rejects.toThrow();
    expect(await count()).toEqual(before);
  });
});

describe("a create that is repeated with its request id", () => {
  test("gives the first answer again, also after the task has gone", async () => {
    const requestId = randomUUID();
    const first = await app.createTask({ name: "Once", requestId });
    expect({ ...(await app.createTask({ name: "Once", requestId })) }).toEqual({ ...first });
    await deleteTask(app, person(), { taskId: first.id });
    expect({ ...(await app.createTask({ name: "Once", requestId })) }).toEqual({ ...first });
  });

  test("is the same call whatever order the keys of its settings come in", async () => {
    const requestId = randomUUID();
    const first = await app.createTask({ requestId, config: { a: 1, b: { c: 2, d: 3 } } });
    expect((await app.createTask({ requestId, config: { b: { d: 3, c: 2 }, a: 1 } })).id).toBe(first.id);
  });

  test("is refused if it asks for something else", async () => {
    const requestId = randomUUID();
    await app.createTask({ name: "Once", requestId });
    await expect(app.createTask({ name: "Twice", requestId })).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });

  test("takes effect once when many come at the same time", async () => {
    const requestId = randomUUID();
    const answers = await Promise.all(Array.from({ length: 12 }, () => app.createTask({ name: "Race", requestId })));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await app.sql("select id from tasks where name = 'Race'")).toHaveLength(1);
  });

  test("is another's own where another tenant uses the same id", async () => {
    const requestId = randomUUID();
    const mine = await app.createTask({ name: "Mine", requestId }, person("ada"));
    const theirs = await app.createTask({ name: "Theirs", requestId }, person("bob"));
    expect(theirs.id).not.toBe(mine.id);
  });
});
