// Two runners never hold one session, whatever becomes of them.

import { Code, createClient, type Transport } from "@connectrpc/connect";
import { systemWorld } from "@helix-zed/domain";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { startTaskReplicas, type TaskReplicas } from "@helix-zed/harness/task-replicas.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { startRunner } from "@helix-zed/runner";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunnerProcess } from "./runner-process.ts";

/** Nothing here may wait for the end of such a lease. */
const LONG_LEASE_MS = 600_000;
const LEASE_MS = 3_000;
const RENEW_MS = LEASE_MS / 3;
/** How long after the end of a lease its session is somebody else's. */
const RECOVERY_MS = 5_000;
const SESSIONS = sized({ normal: 60, full: 1_000 });

let replicas: TaskReplicas;
beforeAll(async () => {
  replicas = await startTaskReplicas({ count: 2, environment: { HELIX_ZED_LEASE_MS: String(LONG_LEASE_MS) } });
}, 60_000);
afterAll(() => replicas.stop());

describe("a session that many runners want", () => {
  test("is held by one of them: each claim of each replica is the only one of its epoch", async () => {
    const claims: { readonly id: string; readonly epoch: bigint; readonly runner: string }[] = [];
    const lost: string[] = [];
    const runners = Array.from({ length: 8 }, (_, index) => {
      const name = `runner ${index}`;
      return startTestRunner(replicas.transport({ replica: index % 2, holder: "runner" }), name, {
        claimed: (id, epoch) => claims.push({ id, epoch, runner: name }),
        lost: (id) => lost.push(id),
      });
    });
    const ids = await createSessions(SESSIONS);
    await eventually("every session is claimed", () => claims.length >= SESSIONS);
    const holders = await Promise.all(ids.map((id) => holderOf(id)));
    expect(claims.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(new Set(claims.map(({ epoch }) => epoch))).toEqual(new Set([1n]));
    expect(holders).toEqual(ids.map((id) => claims.find((claim) => claim.id === id)?.runner));
    expect(new Set(holders).size).toBeGreaterThan(1);
    expect(lost).toEqual([]);
    await Promise.all(runners.map((runner) => runner.stop()));
    expect(await Promise.all(ids.map((id) => holderOf(id)))).toEqual(ids.map(() => undefined));
    await endAll();
  }, 90_000);
});

describe("a runner that is stopped in the middle, for longer than its lease", () => {
  test("loses its session to another within the lease and 5 s, and its late report is refused", async () => {
    await using quick = await startTaskReplicas({ count: 2, environment: { HELIX_ZED_LEASE_MS: String(LEASE_MS) } });
    const first = new RunnerProcess(quick, { name: "first", renewIntervalMs: RENEW_MS, replica: 0 });
    await first.says("synced");
    const [id = ""] = await createSessions(1, quick);
    const claim = await first.says("claimed");
    expect(claim).toMatchObject({ claimed: id, epoch: 1 });
    const second = new RunnerProcess(quick, { name: "second", renewIntervalMs: RENEW_MS, replica: 1 });
    await second.says("synced");

    first.signal("SIGSTOP");
    const stoppedAtMs = performance.now();
    const taken = await second.says("claimed");
    expect(performance.now() - stoppedAtMs).toBeLessThan(LEASE_MS + RECOVERY_MS);
    expect(taken).toEqual({ claimed: id, epoch: 2 });
    // The first thing that it does when it wakes up.
    first.report(id);
    first.signal("SIGCONT");
    expect(await first.says("reported")).toEqual({ reported: id, code: Code.Aborted, reason: "LEASE_LOST" });
    expect(await sessionOf(id, quick)).toMatchObject({ status: WorkSessionStatus.ACTIVE, attempt: 2 });
    second.report(id);
    expect(await second.says("reported")).toEqual({ reported: id, code: 0 });
    expect(await sessionOf(id, quick)).toMatchObject({
      status: WorkSessionStatus.COMPLETED,
      result: { summary: "by second" },
    });
    await Promise.all([first.end(), second.end()]);
  }, 60_000);
});

describe("a runner that is told to stop", () => {
  test("gives its sessions back at once, long before their lease ends", async () => {
    const first = new RunnerProcess(replicas, { name: "first", renewIntervalMs: LONG_LEASE_MS });
    await first.says("synced");
    const [id] = await createSessions(1);
    await first.says("claimed");
    const second = new RunnerProcess(replicas, { name: "second", renewIntervalMs: LONG_LEASE_MS, replica: 1 });
    await second.says("synced");
    await first.end("SIGTERM");
    expect(await second.says("claimed")).toEqual({ claimed: id, epoch: 2 });
    await second.end();
  }, 60_000);
});

interface Notes {
  readonly claimed: (id: string, epoch: bigint) => void;
  readonly lost: (id: string) => void;
}

function startTestRunner(transport: Transport, name: string, { claimed, lost }: Notes) {
  return startRunner({
    name,
    agentTypes: ["simple"],
    workSessions: createClient(WorkSessionService, transport),
    runners: createClient(RunnerService, transport),
    world: systemWorld(),
    renewIntervalMs: RENEW_MS,
    onProblem: () => {},
    handler: {
      claimed: async ({ workSession }, epoch) => claimed(workSession.id, epoch),
      lost: async (id) => lost(id),
      ended: async () => {},
      synced: async () => {},
    },
  });
}

/** Creates tasks with one session each, and gives the ids of the sessions. */
async function createSessions(count: number, where = replicas): Promise<string[]> {
  const tasks = createClient(TaskService, where.transport());
  const sessions = createClient(WorkSessionService, where.transport());
  const createOne = async (): Promise<string[]> => {
    const workSessions = [{ name: "a", agentType: "simple" }];
    const { task } = await tasks.createTask({ name: "Try", taskType: TaskType.CODING_SESSION, workSessions });
    const listed = await sessions.listWorkSessions({ taskId: task?.id ?? "" });
    return listed.workSessions.map(({ id }) => id);
  };
  return (await Promise.all(Array.from({ length: count }, createOne))).flat();
}

async function endAll(): Promise<void> {
  const tasks = createClient(TaskService, replicas.transport());
  const listed = await tasks.listTasks({ pageSize: 1_000 });
  await Promise.all(listed.tasks.map(({ id }) => tasks.deleteTask({ id })));
}

async function sessionOf(id: string, where = replicas) {
  const { workSession } = await createClient(WorkSessionService, where.transport()).getWorkSession({ id });
  return workSession;
}

async function holderOf(id: string): Promise<string | undefined> {
  return (await sessionOf(id))?.lease?.runner;
}
