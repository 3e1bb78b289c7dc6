import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, runner, TestApp } from "../testing/test-app.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { getTask } from "./get-task.ts";
import { getWorkSession } from "./get-work-session.ts";
import { type UpdateWorkSessionStatus, updateWorkSessionStatus } from "./update-work-session-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

type Report = Pick<UpdateWorkSessionStatus, "status"> & Partial<UpdateWorkSessionStatus>;

function report(workSessionId: string, said: Report) {
  return updateWorkSessionStatus(app, runner, { workSessionId, reason: "", result: null, ...said });
}

async function claimed() {
  const created = await app.createTaskWithSession();
  const claim = { workSessionId: created.session.id, runner: "r1" };
  const { session } = await claimWorkSession(app, runner, claim);
  return { ...created, leaseEpoch: session.leaseEpoch };
}

describe("a runner's reports", () => {
  test("carry a session from its first prompt to its result, and its task with it", async () => {
    const { task, session, leaseEpoch } = await claimed();
    const active = await report(session.id, { status: "active", leaseEpoch });
    expect(active.startedAt).not.toBeNull();
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("active");
    const result = { summary: "All tests pass.", error: "" };
    const done = await report(session.id, { status: "completed", leaseEpoch, result });
    expect(done).toMatchObject({ status: "completed", result, runner: null, leaseExpiresAt: null, leaseEpoch });
    expect(await getTask(app, person(), { taskId: task.id })).toMatchObject({ status: "completed", version: 3 });
  });

  test("may be repeated", async () => {
    const { session, leaseEpoch } = await claimed();
    const first = await report(session.id, { status: "active", leaseEpoch });
    const again = await report(session.id, { status: "active", leaseEpoch });
    expect(again).toMatchObject({ version: first.version, startedAt: first.startedAt });
    const result = { summary: "Done.", error: "" };
    const done = await report(session.id, { status: "completed", leaseEpoch, result });
    expect(await report(session.id, { status: "completed", leaseEpoch, result })).toMatchObject({
      version: done.version,
    });
  });

  test("cannot change an end that was reported before", async () => {
    const { session, leaseEpoch } = await claimed();
    await report(session.id, { status: "failed", leaseEpoch, result: { summary: "", error: "no" } });
    for (const status of ["completed", "active", "cancelled"] as const) {
      const late = report(session.id, { status, leaseEpoch });
      await expect(late).rejects.toMatchObject({ reason: "WORK_SESSION_STATUS_CONFLICT" });
    }
    const other = report(session.id, { status: "failed", leaseEpoch, result: { summary: "", error: "another" } });
    await expect(other).rejects.toMatchObject({ reason: "WORK_SESSION_STATUS_CONFLICT" });
  });

  test("may tell the end of a session of whose beginning nobody heard", async () => {
    const { task, session, leaseEpoch } = await claimed();
    const done = await report(session.id, { status: "completed", leaseEpoch });
    expect(done.startedAt).toEqual(done.completedAt);
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("completed");
  });

  test("are refused under a lease that is no longer current", async () => {
    const { session, leaseEpoch } = await claimed();
    await app.letLeaseRunOut(session.id);
    const next = await claimWorkSession(app, runner, { workSessionId: session.id, runner: "r2" });
    const late = report(session.id, { status: "completed", leaseEpoch });
    await expect(late).rejects.toMatchObject({ reason: "LEASE_LOST" });
    await expect(report(session.id, { status: "active", leaseEpoch: 99 })).rejects.toMatchObject({
      reason: "LEASE_LOST",
    });
    await report(session.id, { status: "active", leaseEpoch: next.session.leaseEpoch });
  });

  test("are refused with an etag that is no longer current", async () => {
    const { session, leaseEpoch } = await claimed();
    const late = report(session.id, { status: "active", leaseEpoch, expectedVersion: 1 });
    await expect(late).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
  });
});

describe("the status of a work session", () => {
  test("has one winner when many change it at the same time, and the task follows the winner", async () => {
    const { task, session } = await app.createTaskWithSession();
    await report(session.id, { status: "active" });
    const statuses = Array.from(
      { length: 18 },
      (_, i) => (["completed", "failed", "cancelled"] as const)[i % 3] ?? "failed",
    );
    const results = await Promise.allSettled(statuses.map((status) => report(session.id, { status })));
    const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value.status] : []));
    expect(won).toHaveLength(1);
    expect((await getWorkSession(app, person(), { workSessionId: session.id })).status).toBe(won[0]);
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe(won[0]);
  });

  test("of the last of several sessions ends the task, whatever order they end in", async () => {
    const task = await app.createTask({ workSessions: ["a", "b", "c", "d"].map(aSession) });
    const sessions = await app.sessionsOf(task);
    await Promise.all(sessions.map(({ id }) => report(id, { status: "active" })));
    await Promise.all(sessions.map(({ id }, index) => report(id, { status: index === 2 ? "failed" : "completed" })));
    expect(await getTask(app, person(), { taskId: task.id })).toMatchObject({
      status: "failed",
      statusReason: "WORK_SESSION_FAILED",
    });
  });

  test("is not another tenant's to change", async () => {
    const { session } = await app.createTaskWithSession();
    const command = { workSessionId: session.id, status: "cancelled", reason: "", result: null } as const;
    const foreign = updateWorkSessionStatus(app, person("eve"), command);
    await expect(foreign).rejects.toMatchObject({ reason: "WORK_SESSION_NOT_FOUND" });
  });
});
