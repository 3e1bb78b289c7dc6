import { Refusal } from "@helix-zed/domain";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listReports } from "../application/list-reports.ts";
import { type BridgeApp, claimSession, type ClaimedSession, openBridgeApp } from "../testing/bridge-app.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { silentLog } from "../testing/serve-links.ts";
import { StubTaskService } from "../testing/stub-task-service.ts";
import { Reporter } from "./reporter.ts";

const { ACTIVE, COMPLETED, CANCELLED } = WorkSessionStatus;
const unavailable = new Refusal("SERVER_DRAINING", "The server is stopping.");

let bridge: BridgeApp;
let taskService: StubTaskService;
let runner: string;
let reporter: Reporter;
let reporting: boolean;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

beforeEach(async () => {
  taskService = new StubTaskService();
  await taskService.start();
  runner = bridge.app.world.newId("bridge");
  reporting = false;
});

afterEach(async () => {
  if (reporting) await reporter.stop();
  await taskService.stop();
});

function startReporter(): void {
  reporter = new Reporter({ app: bridge.app, runner, workSessions: taskService.clients.workSessions, log: silentLog });
  reporter.start();
  reporting = true;
}

/** A session that the bridge has claimed under an epoch, and that task-service knows. */
async function claim(leaseEpoch = 1n, earlier?: ClaimedSession): Promise<ClaimedSession> {
  const session = await claimSession(bridge.app, { onTurnEnd: "complete", runner, leaseEpoch, ...earlier });
  taskService.add(session.workSessionId, WorkSessionStatus.PENDING);
  return session;
}

/** Lets an editor begin on the session, and end it. */
async function begin({ instanceId }: ClaimedSession): Promise<{ end(): Promise<void> }> {
  const editor = new ScriptedEditor(bridge.app, instanceId);
  await editor.start();
  const request = await editor.beginThread();
  return { end: () => editor.answer(request, "Done.") };
}

async function work(session: ClaimedSession): Promise<void> {
  await (await begin(session)).end();
}

const settled = (): Promise<unknown> =>
  eventually("nothing is owed", async () => (await listReports(bridge.app, { runner })).length === 0);

const statuses = (): WorkSessionStatus[] => taskService.taken.map(({ status }) => status);

describe("the reporter", () => {
  test("tells task-service how a session goes, in order, with what came of it", async () => {
    startReporter();
    const session = await claim();
    const turn = await begin(session);
    await eventually("active", () => taskService.taken.length === 1);
    await turn.end();
    await eventually("completed", () => taskService.taken.length === 2);
    expect(taskService.taken).toMatchObject([
      { id: session.workSessionId, status: ACTIVE, leaseEpoch: 1n },
      { id: session.workSessionId, status: COMPLETED, leaseEpoch: 1n, result: { summary: "Done.", error: "" } },
    ]);
    await settled();
  });

  test("reports after its start what was owed before", async () => {
    const session = await claim();
    await work(session);
    startReporter();
    await settled();
    expect(statuses()).toEqual([COMPLETED]);
  });

  test("waits for a task-service that is away", async () => {
    await taskService.stop();
    startReporter();
    const session = await claim();
    await work(session);
    await taskService.start();
    await settled();
    expect(statuses().at(-1)).toBe(COMPLETED);
  });

  test("tries again, and doubles nothing, when the answer to a report is lost", async () => {
    await work(await claim());
    taskService.faults.push({ refusal: unavailable }, { refusal: unavailable, after: true });
    startReporter();
    await settled();
    expect(statuses()).toEqual([COMPLETED]);
  });

  test("takes no for an answer where the session has ended otherwise or is gone", async () => {
    const session = await claim();
    taskService.add(session.workSessionId, CANCELLED);
    await work(session);
    const gone = await claimSession(bridge.app, { onTurnEnd: "complete", runner });
    await work(gone);
    startReporter();
    await settled();
    expect(statuses()).toEqual([]);
  });

  test("lets a session go whose lease is lost, and reports it under the next lease", async () => {
    const session = await claim();
    await work(session);
    taskService.faults.push({ refusal: new Refusal("LEASE_LOST", "The lease is no longer held.") });
    startReporter();
    await settled();
    expect(statuses()).toEqual([]);
    await claim(2n, session);
    await eventually("the report", () => taskService.taken.length === 1);
    expect(taskService.taken).toMatchObject([{ status: COMPLETED, leaseEpoch: 2n }]);
  });

  test("does not let one session's trouble hold up another's report", async () => {
    startReporter();
    const troubled = await claim();
    taskService.faults.push({ refusal: unavailable }, { refusal: unavailable }, { refusal: unavailable });
    await work(troubled);
    await eventually("its trouble", () => taskService.faults.length < 3);
    const other = await claim();
    await work(other);
    await settled();
    expect(new Set(taskService.taken.map(({ id }) => id))).toEqual(
      new Set([troubled.workSessionId, other.workSessionId]),
    );
  });
});
