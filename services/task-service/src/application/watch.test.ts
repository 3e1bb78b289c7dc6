import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, runner, TestApp } from "../testing/test-app.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { deleteTask } from "./delete-task.ts";
import { renewLeases } from "./renew-leases.ts";
import { updateTaskStatus } from "./update-task-status.ts";
import { type ReportedStatus, updateWorkSessionStatus } from "./update-work-session-status.ts";
import type { WatchMessage } from "./watch.ts";
import { watchTasks } from "./watch-tasks.ts";
import { type WatchWorkSessions, watchWorkSessions } from "./watch-work-sessions.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open({ watchPollMs: 200, watchHeartbeatMs: 100 });
});
afterAll(() => app.close());

const never = new AbortController().signal;
const everything = { taskIds: [], statuses: [], includeWorkSessions: false, resumeToken: "" };

function ofTask(taskId: string | null, more: Partial<WatchWorkSessions> = {}): WatchWorkSessions {
  return { taskId, agentTypes: [], statuses: [], resumeToken: "", ...more };
}

/** What a message says, in short. */
function say({ event }: WatchMessage): string {
  if (event.kind === "changed") {
    const { resource } = event;
    const facts = resource.kind === "task" ? resource.task : resource.workSession;
    return `${resource.kind} ${facts.name} ${facts.status}`;
  }
  return event.kind === "deleted" ? `${event.resourceKind} deleted${event.isGone ? ", gone" : ""}` : event.kind;
}

/** A watch whose messages are taken one by one; heartbeats are passed over. */
class Reader {
  readonly #messages: AsyncGenerator<WatchMessage, void, undefined>;
  token = "";

  constructor(messages: AsyncGenerator<WatchMessage, void, undefined>) {
    this.#messages = messages;
  }

  async next(): Promise<string> {
    for (;;) {
      const { done, value } = await this.#messages.next();
      if (done === true) return "ended";
      this.token = value.resumeToken;
      if (value.event.kind !== "progress") return say(value);
    }
  }

  async take(count: number): Promise<string[]> {
    const said = [];
    for (let index = 0; index < count; index++) said.push(await this.next());
    return said;
  }

  async close(): Promise<void> {
    await this.#messages.return();
  }
}

function report(workSessionId: string, status: ReportedStatus) {
  return updateWorkSessionStatus(app, runner, { workSessionId, status, reason: "", result: null });
}

describe("a watch", () => {
  test("shows what is there, says that this was all, then shows each change", async () => {
    const ann = person("ann");
    await app.createTask({ name: "old" }, ann);
    const reader = new Reader(watchTasks(app, ann, everything, never));
    expect(await reader.take(2)).toEqual(["task old pending", "synced"]);
    const fresh = await app.createTask({ name: "new" }, ann);
    await updateTaskStatus(app, ann, { taskId: fresh.id, action: "cancel", reason: "" });
    await deleteTask(app, ann, { taskId: fresh.id });
    expect(await reader.take(3)).toEqual(["task new pending", "task new cancelled", "task deleted, gone"]);
    await reader.close();
  });

  test("says something at once and at least once a heartbeat, also when nothing happens", async () => {
    const messages = watchTasks(app, person("nobody"), everything, never);
    const first = await messages.next();
    expect(first.value).toMatchObject({ event: { kind: "synced" } });
    for (let beat = 0; beat < 3; beat++) {
      expect((await messages.next()).value).toMatchObject({ event: { kind: "progress" } });
    }
    await messages.return();
  });

  test("goes on right after its token, and begins with a sign of life", async () => {
    const bea = person("bea");
    const reader = new Reader(watchTasks(app, bea, everything, never));
    await reader.next();
    await app.createTask({ name: "first" }, bea);
    await reader.next();
    await reader.close();
    await app.createTask({ name: "second" }, bea);
    const messages = watchTasks(app, bea, { ...everything, resumeToken: reader.token }, never);
    expect((await messages.next()).value).toMatchObject({ event: { kind: "progress" }, resumeToken: reader.token });
    expect(await new Reader(messages).take(1)).toEqual(["task second pending"]);
    await messages.return();
  });

  test("carries the work sessions of the tasks, if asked for, in the order task and sessions", async () => {
    const cyd = person("cyd");
    const reader = new Reader(watchTasks(app, cyd, { ...everything, includeWorkSessions: true }, never));
    await reader.next();
    const task = await app.createTask({ name: "t", workSessions: [aSession("a"), aSession("b")] }, cyd);
    expect(await reader.take(3)).toEqual(["task t pending", "work_session a pending", "work_session b pending"]);
    const [session] = await app.sessionsOf(task);
    await report(session?.id ?? "", "active");
    expect(await reader.take(2)).toEqual(["work_session a active", "task t active"]);
    await deleteTask(app, cyd, { taskId: task.id });
    expect(await reader.take(3)).toEqual([
      "work_session deleted, gone",
      "work_session deleted, gone",
      "task deleted, gone",
    ]);
    await reader.close();
  });

  test("never shows what belongs to another tenant", async () => {
    const reader = new Reader(watchTasks(app, person("dan"), everything, never));
    await reader.next();
    await app.createTask({ name: "hers" }, person("eve"));
    await app.createTask({ name: "his" }, person("dan"));
    expect(await reader.next()).toBe("task his pending");
    await reader.close();
  });

  test("shows a snapshot of many pages, each resource once", async () => {
    const fay = person("fay");
    await app.sql(
      `insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority,
         user_id, organization_id, app_id, project_path, coordinator_session_id, created_at, updated_at)
       select 'tsk_fay' || lpad(n::text, 6, '0'), 'user:fay', 'n' || n, '', 'batch', 'pending', '', now(), 0,
         'fay', '', '', '', 'ses_' || n, now(), now() from generate_series(1, 1203) n`,
    );
    const reader = new Reader(watchTasks(app, fay, everything, never));
    const said = await reader.take(1_204);
    expect(said.at(-1)).toBe("synced");
    expect(new Set(said).size).toBe(1_204);
    await app.createTask({ name: "after" }, fay);
    expect(await reader.next()).toBe("task after pending");
    await reader.close();
  });
});

describe("a filtered watch", () => {
  test("shows what comes to match, and as deleted what stops matching", async () => {
    const gus = person("gus");
    const reader = new Reader(watchWorkSessions(app, gus, ofTask(null, { statuses: ["pending"] }), never));
    expect(await reader.next()).toBe("synced");
    const task = await app.createTask({ workSessions: [aSession("a")] }, gus);
    const [session] = await app.sessionsOf(task);
    await report(session?.id ?? "", "active");
    await report(session?.id ?? "", "completed");
    const next = await app.createTask({ workSessions: [aSession("b")] }, gus);
    await deleteTask(app, gus, { taskId: next.id });
    expect(await reader.take(4)).toEqual([
      "work_session a pending",
      "work_session deleted",
      "work_session b pending",
      "work_session deleted, gone",
    ]);
    await reader.close();
  });

  test("shows a runner the sessions of its kinds of agents, of all tenants", async () => {
    const reader = new Reader(watchWorkSessions(app, runner, ofTask(null, { agentTypes: ["simple"] }), never));
    expect(await reader.next()).toBe("synced");
    await app.createTask({ workSessions: [aSession("zed")] }, person("hal"));
    await app.createTask({ workSessions: [{ ...aSession("one"), agentType: "simple" }] }, person("hal"));
    await app.createTask({ workSessions: [{ ...aSession("two"), agentType: "simple" }] }, person("ivy"));
    expect(await reader.take(2)).toEqual(["work_session one pending", "work_session two pending"]);
    await reader.close();
  });

  test("tells of a claim, and of a renewal nothing", async () => {
    const { task, session } = await app.createTaskWithSession({ workSessions: [aSession("s")] });
    const reader = new Reader(watchWorkSessions(app, runner, ofTask(task.id), never));
    await reader.take(2);
    await claimWorkSession(app, runner, { workSessionId: session.id, runner: "r1" });
    expect(await reader.next()).toBe("work_session s pending");
    await renewLeases(app, runner, { runner: "r1", leases: [{ workSessionId: session.id, epoch: 1 }] });
    await report(session.id, "active");
    expect(await reader.next()).toBe("work_session s active");
    await reader.close();
  });
});

describe("a watch of named tasks", () => {
  test("ends when the last of them has ended, after its last event", async () => {
    const jon = person("jon");
    const [one, two] = [await app.createTask({ name: "1" }, jon), await app.createTask({ name: "2" }, jon)];
    const asked = { ...everything, taskIds: [two.id, one.id] };
    const reader = new Reader(watchTasks(app, jon, asked, never));
    expect(await reader.take(3)).toEqual(["task 1 pending", "task 2 pending", "synced"]);
    await deleteTask(app, jon, { taskId: one.id });
    await updateTaskStatus(app, jon, { taskId: two.id, action: "cancel", reason: "" });
    expect(await reader.take(3)).toEqual(["task deleted, gone", "task 2 cancelled", "ended"]);
  });

  test("ends with the end of the sessions of the one task", async () => {
    const { task, session } = await app.createTaskWithSession({ workSessions: [aSession("s")] });
    const reader = new Reader(watchWorkSessions(app, person(), ofTask(task.id), never));
    await reader.take(2);
    await report(session.id, "active");
    await report(session.id, "completed");
    expect(await reader.take(3)).toEqual(["work_session s active", "work_session s completed", "ended"]);
  });

  test("ends after the snapshot if they have ended before", async () => {
    const { task, session } = await app.createTaskWithSession({ workSessions: [aSession("s")] });
    await report(session.id, "cancelled");
    const sessions = new Reader(watchWorkSessions(app, person(), ofTask(task.id), never));
    expect(await sessions.take(3)).toEqual(["work_session s cancelled", "synced", "ended"]);
    const again = new Reader(watchWorkSessions(app, person(), ofTask(task.id, { resumeToken: sessions.token }), never));
    expect(await again.next()).toBe("ended");
  });

  test("ends also when it is resumed from before the end", async () => {
    const { task, session } = await app.createTaskWithSession({ workSessions: [aSession("s")] });
    const reader = new Reader(watchWorkSessions(app, person(), ofTask(task.id, { statuses: ["active"] }), never));
    await reader.next();
    await reader.close();
    await report(session.id, "cancelled");
    const resumed = ofTask(task.id, { statuses: ["active"], resumeToken: reader.token });
    expect(await new Reader(watchWorkSessions(app, person(), resumed, never)).next()).toBe("ended");
  });

  test("none of which exists, or is the caller's, is not found", async () => {
    const task = await app.createTask();
    for (const taskId of ["tsk_none", task.id]) {
      const asked = { ...everything, taskIds: [taskId] };
      const refused = watchTasks(app, person("eve"), asked, never).next();
      await expect(refused).rejects.toMatchObject({ reason: "TASK_NOT_FOUND", metadata: { task: taskId } });
    }
  });
});

async function tokenOf(name: string): Promise<string> {
  const reader = new Reader(watchTasks(app, person(name), everything, never));
  await reader.next();
  await reader.close();
  return reader.token;
}

async function resume(name: string, resumeToken: string): Promise<unknown> {
  return watchTasks(app, person(name), { ...everything, resumeToken }, never).next();
}

function forged(token: string, change: object): string {
  const [version, binding, cursor] = JSON.parse(Buffer.from(token, "base64url").toString());
  return Buffer.from(JSON.stringify([version, binding, { ...cursor, ...change }])).toString("base64url");
}

describe("a resume token", () => {
  test("that is none of ours is refused", async () => {
    const token = await tokenOf("kim");
    for (const wrong of [
      "x",
      "e30",
      "!",
      forged(token, { seq: -1 }),
      forged(token, { seq: "1" }),
      forged(token, { skip: [null] }),
    ]) {
      await expect(resume("kim", wrong)).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
    }
  });

  test("is good for its own request only", async () => {
    const token = await tokenOf("kim");
    await expect(resume("leo", token)).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
    const other = watchTasks(app, person("kim"), { ...everything, statuses: ["active"], resumeToken: token }, never);
    await expect(other.next()).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
  });

  test("from the future, of another log, or older than the log is out of range", async () => {
    const token = await tokenOf("kim");
    await expect(resume("kim", forged(token, { seq: 1e12 }))).rejects.toMatchObject({
      reason: "RESUME_TOKEN_FROM_THE_FUTURE",
    });
    await expect(resume("kim", forged(token, { epoch: "another" }))).rejects.toMatchObject({
      reason: "RESUME_TOKEN_FROM_ANOTHER_LOG",
    });
    await app.sql("update change_head set floor = 3");
    await app.sql("delete from change_log where seq <= 3");
    await expect(resume("kim", forged(token, { seq: 1 }))).rejects.toMatchObject({ reason: "RESUME_TOKEN_EXPIRED" });
    await resume("kim", forged(token, { seq: 3 }));
  });
});

describe("the feed of a process", () => {
  test("shows what another process committed but did not live to number", async () => {
    const mia = person("mia");
    const task = await app.createTask({ name: "t" }, mia);
    const reader = new Reader(watchTasks(app, mia, everything, never));
    await reader.take(2);
    await app.sql("update tasks set status = 'active', version = 2 where id = $1", [task.id]);
    await app.sql(
      `insert into change_log (tenant, kind, ref_id, task_id, before, after)
       select tenant, 'task', id, id, '{"status": "pending"}', to_jsonb(tasks) from tasks where id = $1`,
      [task.id],
    );
    expect(await reader.next()).toBe("task t active");
    await reader.close();
  });

  test("hears of a commit in another process at once, again after its listening was cut off", async () => {
    const slow = await TestApp.open({ watchPollMs: 60_000 }, app.url);
    const ned = person("ned");
    const reader = new Reader(watchTasks(slow, ned, everything, never));
    await reader.next();
    await app.createTask({ name: "1" }, ned);
    expect(await reader.next()).toBe("task 1 pending");
    await app.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
    await expect
      .poll(() =>
        app.createTask({ name: "2" }, ned).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(await reader.next()).toBe("task 2 pending");
    await reader.close();
    await slow.close();
    expect(slow.warnings.join()).toMatch(/terminating connection/);
  });
});
