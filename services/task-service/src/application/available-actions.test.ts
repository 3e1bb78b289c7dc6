import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskAction, TaskStatus } from "../domain/task-lifecycle.ts";
import type { WorkSessionAction, WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import { person, runner, TestApp } from "../testing/test-app.ts";
import { taskMessage } from "../transport/task-messages.ts";
import { taskActions, workSessionActions } from "../transport/wire-enums.ts";
import { workSessionMessage } from "../transport/work-session-messages.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { getTask } from "./get-task.ts";
import { getWorkSession } from "./get-work-session.ts";
import { releaseWorkSession } from "./release-work-session.ts";
import { updateTaskStatus } from "./update-task-status.ts";
import { type ReportedStatus, reportedActions, updateWorkSessionStatus } from "./update-work-session-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

const taskStatuses: TaskStatus[] = ["pending", "active", "completed", "failed", "cancelled"];
const sessionStatuses: WorkSessionStatus[] = ["pending", "blocked", "active", "completed", "failed", "cancelled"];
const actions: TaskAction[] = ["activate", "complete", "fail", "cancel"];
const reported: ReportedStatus[] = ["active", "completed", "failed", "cancelled"];
const endings: readonly string[] = ["completed", "failed", "cancelled"];

/** A task of one session in some status, put there behind the service's back. */
async function putInto(table: "tasks" | "work_sessions", status: string) {
  const made = await app.createTaskWithSession({ taskType: "interactive" });
  const id = table === "tasks" ? made.task.id : made.session.id;
  await app.sql(`update ${table} set status = $1, completed_at = case when $2 then now() end where id = $3`, [
    status,
    endings.includes(status),
    id,
  ]);
  return id;
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

describe("the available actions", () => {
  test.each(taskStatuses)("of a task that is %s are exactly those that succeed", async (status) => {
    const shown = taskMessage(await getTask(app, person(), { taskId: await putInto("tasks", status) }));
    const possible: TaskAction[] = [];
    for (const action of actions) {
      const taskId = await putInto("tasks", status);
      if (await succeeds(updateTaskStatus(app, person(), { taskId, action, reason: "" }))) possible.push(action);
    }
    expect(shown.availableActions).toEqual(possible.map((action) => taskActions[action]));
  });

  test.each(sessionStatuses)("of a work session that is %s are exactly those that succeed", async (status) => {
    const workSessionId = await putInto("work_sessions", status);
    const shown = workSessionMessage(await getWorkSession(app, person(), { workSessionId }));
    const possible: WorkSessionAction[] = [];
    for (const next of reported) {
      const report = { workSessionId: await putInto("work_sessions", status), status: next, reason: "", result: null };
      if (await succeeds(updateWorkSessionStatus(app, person(), report))) possible.push(reportedActions[next]);
    }
    expect(shown.availableActions).toEqual(possible.map((action) => workSessionActions[action]));
  });
});

describe("a change of status", () => {
  test("says when and why, of the session and of the task that follows it", async () => {
    const { task, session } = await app.createTaskWithSession({ taskType: "batch" });
    const report = { workSessionId: session.id, result: null };
    const active = await updateWorkSessionStatus(app, person(), { ...report, status: "active", reason: "BEGUN" });
    const begun = await getTask(app, person(), { taskId: task.id });
    expect(active).toMatchObject({ status: "active", statusReason: "BEGUN", statusChangedAt: active.updatedAt });
    expect(begun).toMatchObject({ status: "active", statusReason: "", startedAt: active.startedAt, completedAt: null });
    expect(begun.statusChangedAt).toEqual(active.statusChangedAt);
    const failed = await updateWorkSessionStatus(app, person(), { ...report, status: "failed", reason: "AGENT_ERROR" });
    const ended = await getTask(app, person(), { taskId: task.id });
    expect(failed).toMatchObject({ statusReason: "AGENT_ERROR", startedAt: active.startedAt });
    expect(ended).toMatchObject({ status: "failed", statusReason: "WORK_SESSION_FAILED", startedAt: begun.startedAt });
    expect(ended.completedAt).toEqual(failed.completedAt);
    expect(ended.statusChangedAt).toEqual(failed.statusChangedAt);
  });

  test("is not what a session has that is given back before anything began, though it says why", async () => {
    const { session } = await app.createTaskWithSession();
    const claim = await claimWorkSession(app, runner, { workSessionId: session.id, runner: "a" });
    const back = { workSessionId: session.id, epoch: claim.session.leaseEpoch, reason: "SHUTTING_DOWN" };
    const released = await releaseWorkSession(app, runner, back);
    expect(released).toMatchObject({ status: "pending", statusReason: "SHUTTING_DOWN" });
    expect(released.statusChangedAt).toEqual(session.statusChangedAt);
  });

  test("by a task's end reaches its live sessions with the reason, and leaves the others as they ended", async () => {
    const task = await app.createTask({
      taskType: "interactive",
      workSessions: [{ ...aNamed("a") }, { ...aNamed("b") }],
    });
    const [first, second] = await app.sessionsOf(task);
    const report = { workSessionId: first?.id ?? "", status: "failed", reason: "EARLIER", result: null } as const;
    await updateWorkSessionStatus(app, person(), report);
    const cancelled = await updateTaskStatus(app, person(), { taskId: task.id, action: "cancel", reason: "enough" });
    const [stays, follows] = await app.sessionsOf(task);
    expect(stays).toMatchObject({ id: first?.id, status: "failed", statusReason: "EARLIER" });
    expect(follows).toMatchObject({ id: second?.id, status: "cancelled", statusReason: "TASK_CANCELLED" });
    expect(follows?.statusChangedAt).toEqual(cancelled.statusChangedAt);
  });
});

function aNamed(name: string) {
  return { name, description: "", agentType: "zed_agent", agentConfig: null, environmentConfig: null };
}
