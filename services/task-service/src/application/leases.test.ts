import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { person, runner, TestApp } from "../testing/test-app.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { expireLeases } from "./expire-leases.ts";
import { getTask } from "./get-task.ts";
import { getWorkSession } from "./get-work-session.ts";
import { releaseWorkSession } from "./release-work-session.ts";
import { renewLeases } from "./renew-leases.ts";
import { sweepLeases } from "./sweep-leases.ts";
import { updateWorkSessionStatus } from "./update-work-session-status.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

function claim(workSessionId: string, name = "r1") {
  return claimWorkSession(app, runner, { workSessionId, runner: name });
}

function read(workSessionId: string) {
  return getWorkSession(app, runner, { workSessionId });
}

describe("a claim", () => {
  test("gives the runner the session, a lease and what it needs to begin", async () => {
    const { session } = await app.createTaskWithSession({ description: "Do it.", projectPath: "/work/shop" });
    const claimed = await claim(session.id);
    expect(claimed).toMatchObject({ firstPrompt: "Do it.", projectPath: "/work/shop", onTurnEnd: "complete" });
    expect(claimed.session).toMatchObject({ status: "pending", runner: "r1", leaseEpoch: 1, attempt: 1 });
    const [clock] = await app.sql<{ now: Date }>("select clock_timestamp() as now");
    const leftMs = (claimed.session.leaseExpiresAt?.getTime() ?? 0) - (clock?.now.getTime() ?? 0);
    expect(leftMs).toBeGreaterThan(app.limits.leaseMs - 5_000);
    expect(leftMs).toBeLessThanOrEqual(app.limits.leaseMs);
  });

  test("is had by one of many runners that come at the same time", async () => {
    const { session } = await app.createTaskWithSession();
    const names = Array.from({ length: 16 }, (_, index) => `r${index}`);
    const results = await Promise.allSettled(names.map((name) => claim(session.id, name)));
    const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value.session.runner] : []));
    expect(won).toHaveLength(1);
    expect(await read(session.id)).toMatchObject({ runner: won[0], leaseEpoch: 1, attempt: 1 });
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "LEASE_HELD" });
    }
  });

  test("by the runner that has it begins a new epoch of the same attempt", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    expect((await claim(session.id)).session).toMatchObject({ runner: "r1", leaseEpoch: 2, attempt: 1 });
  });

  test("by another after the lease has run out is a new attempt", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    await app.letLeaseRunOut(session.id);
    expect((await claim(session.id, "r2")).session).toMatchObject({ runner: "r2", leaseEpoch: 2, attempt: 2 });
  });

  test("of a session that has ended is refused", async () => {
    const { session } = await app.createTaskWithSession();
    const facts = { workSessionId: session.id, reason: "", result: null };
    await updateWorkSessionStatus(app, person(), { ...facts, status: "cancelled" });
    await expect(claim(session.id)).rejects.toMatchObject({ reason: "WORK_SESSION_STATUS_CONFLICT" });
  });
});

describe("renewing", () => {
  test("prolongs what is held, says what is lost, and is no change of the session", async () => {
    const sessions = await Promise.all(Array.from({ length: 4 }, () => app.createTaskWithSession()));
    const ids = sessions.map(({ session }) => session.id);
    const claims = await Promise.all(ids.map((id) => claim(id)));
    await app.sql("update work_sessions set lease_expires_at = now() + interval '15 seconds' where id = any($1)", [
      ids,
    ]);
    await releaseWorkSession(app, runner, { workSessionId: ids[3] ?? "", epoch: 1, reason: "" });
    const leases = ids.map((workSessionId, index) => ({ workSessionId, epoch: index === 2 ? 7 : 1 }));
    const gone = { workSessionId: "ws_none", epoch: 1 };
    const renewed = await renewLeases(app, runner, { runner: "r1", leases: [...leases, gone] });
    expect(renewed.renewedIds.toSorted()).toEqual(ids.slice(0, 2).toSorted());
    expect(renewed.lostIds).toEqual([ids[2], ids[3], "ws_none"]);
    const after = await read(ids[0] ?? "");
    expect(after.leaseExpiresAt).toEqual(renewed.expiresAt);
    expect(after.version).toBe(claims[0]?.session.version);
  });

  test("under another runner's name renews nothing", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    const leases = [{ workSessionId: session.id, epoch: 1 }];
    const renewed = await renewLeases(app, runner, { runner: "r2", leases });
    expect(renewed).toMatchObject({ renewedIds: [], lostIds: [session.id] });
  });

  test("takes many overlapping renewals at the same time", async () => {
    const sessions = await Promise.all(Array.from({ length: 6 }, () => app.createTaskWithSession()));
    const leases = sessions.map(({ session }) => ({ workSessionId: session.id, epoch: 1 }));
    await Promise.all(leases.map(({ workSessionId }) => claim(workSessionId)));
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        renewLeases(app, runner, { runner: "r1", leases: index % 2 === 0 ? leases : leases.toReversed() }),
      ),
    );
    for (const { lostIds } of all) expect(lostIds).toEqual([]);
  });

  test("of nothing is fine", async () => {
    expect(await renewLeases(app, runner, { runner: "r1", leases: [] })).toMatchObject({ renewedIds: [], lostIds: [] });
  });
});

describe("a release", () => {
  test("returns the session to pending at once, for any runner, without costing an attempt", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    const facts = { workSessionId: session.id, reason: "", result: null };
    await updateWorkSessionStatus(app, runner, { ...facts, status: "active", leaseEpoch: 1 });
    const released = await releaseWorkSession(app, runner, { workSessionId: session.id, epoch: 1, reason: "SHUTDOWN" });
    expect(released).toMatchObject({ status: "pending", statusReason: "SHUTDOWN", runner: null, leaseExpiresAt: null });
    expect((await claim(session.id, "r2")).session).toMatchObject({ runner: "r2", leaseEpoch: 2, attempt: 1 });
  });

  test("under an old epoch is refused", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    await claim(session.id);
    const late = releaseWorkSession(app, runner, { workSessionId: session.id, epoch: 1, reason: "" });
    await expect(late).rejects.toMatchObject({ reason: "LEASE_LOST" });
  });
});

describe("a lease that runs out", () => {
  test("returns the session to pending for another attempt, and tells why", async () => {
    const { task, session } = await app.createTaskWithSession();
    await claim(session.id);
    const facts = { workSessionId: session.id, reason: "", result: null };
    const active = await updateWorkSessionStatus(app, runner, { ...facts, status: "active", leaseEpoch: 1 });
    await app.letLeaseRunOut(session.id);
    expect(await expireLeases(app)).toBe(1);
    expect(await read(session.id)).toMatchObject({
      status: "pending",
      statusReason: "LEASE_EXPIRED",
      attempt: 2,
      runner: null,
      startedAt: active.startedAt,
    });
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("active");
    const late = updateWorkSessionStatus(app, runner, { ...facts, status: "completed", leaseEpoch: 1 });
    await expect(late).rejects.toMatchObject({ reason: "LEASE_LOST" });
    expect((await claim(session.id, "r2")).session).toMatchObject({ attempt: 2, leaseEpoch: 2 });
  });

  test("fails the session after its last attempt, and its task with it", async () => {
    const { task, session } = await app.createTaskWithSession();
    for (let attempt = 1; attempt <= app.limits.attemptsMax; attempt++) {
      expect((await claim(session.id, `r${attempt}`)).session.attempt).toBe(attempt);
      await app.letLeaseRunOut(session.id);
      expect(await expireLeases(app)).toBe(1);
    }
    expect(await read(session.id)).toMatchObject({ status: "failed", statusReason: "RUNNER_LOST", attempt: 5 });
    expect((await getTask(app, person(), { taskId: task.id })).status).toBe("failed");
  });

  test("is taken by one of many sweepers", async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => app.createTaskWithSession()));
    for (const { session } of sessions) {
      await claim(session.id);
      await app.letLeaseRunOut(session.id);
    }
    const counts = await Promise.all(Array.from({ length: 6 }, () => expireLeases(app)));
    const left = await expireLeases(app);
    expect(counts.reduce((sum, count) => sum + count, left)).toBe(5);
    for (const { session } of sessions) expect((await read(session.id)).attempt).toBe(2);
  });

  test("is left alone when it is renewed in time", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    await app.letLeaseRunOut(session.id);
    const leases = [{ workSessionId: session.id, epoch: 1 }];
    expect((await renewLeases(app, runner, { runner: "r1", leases })).renewedIds).toEqual([session.id]);
    expect(await expireLeases(app)).toBe(0);
  });
});

describe("the sweeper", () => {
  test("gives every runner the time of one lease after the start, then expires what is over", async () => {
    const { session } = await app.createTaskWithSession();
    await claim(session.id);
    await app.letLeaseRunOut(session.id);
    const slept: number[] = [];
    const stop = new AbortController();
    const world = { ...app.world, sleep: async (durationMs: number) => void slept.push(durationMs) };
    const report = { swept: () => stop.abort(), failed: (error: unknown) => stop.abort(error) };
    await sweepLeases(
      { database: app.database, limits: app.limits, agentTypes: app.agentTypes, world },
      stop.signal,
      report,
    );
    expect(slept[0]).toBe(app.limits.leaseMs);
    expect((await read(session.id)).status).toBe("pending");
    expect((await read(session.id)).attempt).toBe(2);
  });
});
