import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aSession, person, runner, TestApp } from "../testing/test-app.ts";
import { type BindHelixSession, bindHelixSession } from "./bind-helix-session.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { createWorkSession } from "./create-work-session.ts";
import { watchWorkSessions } from "./watch-work-sessions.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

const newHelixId = (): string => `helix_${randomUUID()}`;

function bind(workSessionId: string, helixSessionId: string, more: Partial<BindHelixSession> = {}) {
  return bindHelixSession(app, runner, { workSessionId, helixSessionId, ...more });
}

function records(taskId: string) {
  return app.sql<{ id: string; origin: string; role: string; work_session_id: string }>(
    "select id, origin, role, work_session_id from sessions where task_id = $1 and role = 'work_session' order by id",
    [taskId],
  );
}

const nothing = { helixSessionId: null, parentWorkSessionId: null, spawnedBySessionId: null, requestId: null };

describe("binding Helix's own session", () => {
  test("puts it in the place of the minted one, of which nothing is left", async () => {
    const { task, session } = await app.createTaskWithSession();
    const helixSessionId = newHelixId();
    const bound = await bind(session.id, helixSessionId);
    expect(bound).toMatchObject({ id: session.id, helixSessionId, status: "pending", version: session.version + 1 });
    expect(await records(task.id)).toEqual([
      { id: helixSessionId, origin: "helix", role: "work_session", work_session_id: session.id },
    ]);
  });

  test("takes along the sessions that the minted one asked for", async () => {
    const { task, session } = await app.createTaskWithSession();
    const spawn = { ...nothing, taskId: task.id, spawnedBySessionId: session.helixSessionId };
    const spawned = await createWorkSession(app, person(), { ...aSession("spawned"), ...spawn });
    const helixSessionId = newHelixId();
    await bind(session.id, helixSessionId);
    const [, after] = await app.sessionsOf(task);
    expect(after).toMatchObject({ id: spawned.id, spawnedBySessionId: helixSessionId, version: spawned.version + 1 });
    // The line of descent holds: who was spawned by the session still is.
    const more = { ...spawn, spawnedBySessionId: helixSessionId };
    await expect(createWorkSession(app, person(), { ...aSession("more"), ...more })).resolves.toMatchObject({
      name: "more",
    });
  });

  test("gives the same answer again for the same id, and refuses every other", async () => {
    const { session } = await app.createTaskWithSession();
    const helixSessionId = newHelixId();
    const first = await bind(session.id, helixSessionId);
    expect({ ...(await bind(session.id, helixSessionId)) }).toEqual({ ...first });
    await expect(bind(session.id, newHelixId())).rejects.toMatchObject({
      reason: "HELIX_SESSION_BOUND",
      metadata: { work_session: session.id, helix_session: helixSessionId },
    });
  });

  test("leaves an id alone that the caller gave", async () => {
    const { task } = await app.createTaskWithSession();
    const given = { ...nothing, taskId: task.id, helixSessionId: newHelixId() };
    const session = await createWorkSession(app, person(), { ...aSession("given"), ...given });
    await expect(bind(session.id, newHelixId())).rejects.toMatchObject({ reason: "HELIX_SESSION_BOUND" });
    expect(await bind(session.id, given.helixSessionId)).toMatchObject({ version: session.version });
  });

  test("refuses an id that another work session or a task has", async () => {
    const [mine, other] = [await app.createTaskWithSession(), await app.createTaskWithSession()];
    for (const taken of [other.session.helixSessionId, other.task.coordinatorSessionId]) {
      await expect(bind(mine.session.id, taken)).rejects.toMatchObject({
        reason: "HELIX_SESSION_TAKEN",
        metadata: { helix_session: taken },
      });
    }
    expect(await app.sessionsOf(mine.task)).toMatchObject([
      { helixSessionId: mine.session.helixSessionId, version: 1 },
    ]);
  });

  test("gives an id to one of many who want it, and a session to one of many ids", async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => app.createTaskWithSession()));
    const wanted = newHelixId();
    const forOneId = await Promise.allSettled(many.map(({ session }) => bind(session.id, wanted)));
    expect(forOneId.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { session } = await app.createTaskWithSession();
    const forOneSession = await Promise.allSettled(many.map(() => bind(session.id, newHelixId())));
    expect(forOneSession.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("is heard of by those who watch", async () => {
    const { task, session } = await app.createTaskWithSession();
    const end = new AbortController();
    const watch = { taskId: task.id, agentTypes: [], statuses: [], resumeToken: "" };
    const helixSessionId = newHelixId();
    const seen: string[] = [];
    for await (const { event } of watchWorkSessions(app, person(), watch, end.signal)) {
      if (event.kind === "synced") await bind(session.id, helixSessionId);
      if (event.kind !== "changed" || event.resource.kind !== "work_session") continue;
      seen.push(event.resource.workSession.helixSessionId);
      if (seen.length === 2) break;
    }
    end.abort();
    expect(seen).toEqual([session.helixSessionId, helixSessionId]);
  });

  test("is refused under an old lease, with an old etag, and of what is not there", async () => {
    const { session } = await app.createTaskWithSession();
    const { session: claimed } = await claimWorkSession(app, runner, { workSessionId: session.id, runner: "a" });
    const old = { leaseEpoch: claimed.leaseEpoch + 1 };
    await expect(bind(session.id, newHelixId(), old)).rejects.toMatchObject({ reason: "LEASE_LOST" });
    const stale = { expectedVersion: session.version };
    await expect(bind(session.id, newHelixId(), stale)).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    await expect(bind("ws_none", newHelixId())).rejects.toMatchObject({ reason: "WORK_SESSION_NOT_FOUND" });
    const held = { leaseEpoch: claimed.leaseEpoch, expectedVersion: claimed.version };
    await expect(bind(session.id, newHelixId(), held)).resolves.toMatchObject({ runner: "a" });
  });
});
