import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { create } from "@bufbuild/protobuf";
import { Refusal } from "@helix-zed/domain";
import { ClaimWorkSessionResponseSchema } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { OnTurnEnd, type WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { adoptOnce } from "../runner/editor-thread-adopter.ts";
import { workSessionHandler } from "../runner/work-session-handler.ts";
import { runner } from "../testing/bridge-app.ts";
import { threadOf, transcriptOf, turnsOf } from "../testing/read-thread.ts";
import { silentLog } from "../testing/serve-links.ts";
import { Stage } from "../testing/stage.ts";
import { workspacesIn } from "../testing/workspaces-in.ts";
import { StubTaskService } from "../testing/stub-task-service.ts";
import { closeThread } from "./close-thread.ts";
import { expireDeadlines } from "./expire-deadlines.ts";
import { listReports } from "./list-reports.ts";

const stage = new Stage();
const taskService = new StubTaskService();

beforeAll(() => stage.open({ launchTarget: "zed" }));

afterAll(() => stage.close());

beforeEach(async () => {
  await taskService.start();
  await stage.begin();
  await stage.editor.answer(await stage.editor.beginThread(), "Hello");
});

afterEach(() => taskService.stop());

const announce = (thread: string, title: string | null = null): Promise<string | null> =>
  stage.editor.say({ event_type: "user_created_thread", data: { acp_thread_id: thread, title } });

const say = (thread: string, index: number, content: string, role: "user" | "assistant" = "user") =>
  stage.editor.entry({ thread, request: "", index, content, role });

const adopt = (): Promise<void> =>
  adoptOnce({ app: stage.app, runner, workSessions: taskService.clients.workSessions, log: silentLog });

/** Claims a session that was made, as its runner does. */
async function claim(workSession: WorkSession): Promise<void> {
  const { workSessions } = taskService.clients;
  const handler = workSessionHandler({
    app: stage.app,
    runner,
    workSessions,
    workspaces: workspacesIn("/nowhere"),
    log: silentLog,
  });
  const response = create(ClaimWorkSessionResponseSchema, {
    workSession,
    firstPrompt: "What task-service makes of it",
    projectPath: "/",
    onTurnEnd: OnTurnEnd.IDLE,
  });
  await handler.claimed({ ...response, workSession }, 1n);
}

async function adoptedSession(): Promise<WorkSession> {
  await adopt();
  const [session] = taskService.created;
  if (session === undefined) throw new Error("No session was made.");
  await claim(session);
  await adopt();
  return session;
}

describe("a thread that a person begins in the editor", () => {
  test("becomes a work session with its first words, and nothing is asked of the agent again", async () => {
    await announce("mine", "My own");
    await say("mine", 0, "Look at this");
    await say("mine", 1, "I lo", "assistant");
    const session = await adoptedSession();
    expect(session).toMatchObject({ name: "My own", agentType: "zed_agent", description: "Look at this" });
    expect(taskService.createdFor).toEqual(["ann"]);
    expect(await turnsOf(stage.app, session.id)).toEqual(["running"]);
    await say("mine", 1, "I looked", "assistant");
    await stage.editor.completed("", "mine");
    expect(await turnsOf(stage.app, session.id)).toEqual(["completed"]);
    expect(await transcriptOf(stage.app, session.id)).toEqual(["user: Look at this", "assistant: I looked"]);
    const { mapping } = await threadOf(stage.app, session.id);
    expect(mapping).toMatchObject({
      zedThreadId: "mine",
      title: "My own",
      status: "active",
      zedSessionId: stage.session.instanceId,
    });
    expect(await stage.editor.take()).toEqual([]);
    const reports = await listReports(stage.app, { runner });
    expect(reports.find(({ workSessionId }) => workSessionId === session.id)).toMatchObject({ outcome: "active" });
  });

  test("loses nothing that is said before the session is there, and is a thread like any other afterwards", async () => {
    await say("mine", 0, "One\nof two");
    await say("mine", 1, "one", "assistant");
    await stage.editor.completed("", "mine");
    await say("mine", 2, "Two");
    await say("mine", 3, "two", "assistant");
    await stage.editor.completed("", "mine");
    const session = await adoptedSession();
    expect(session.name).toBe("One");
    expect(await turnsOf(stage.app, session.id)).toEqual(["completed", "completed"]);
    expect(await transcriptOf(stage.app, session.id)).toEqual([
      "user: One\nof two",
      "assistant: one",
      "user: Two",
      "assistant: two",
    ]);
  });

  test("makes one session, however often that is tried and the bridge restarted between", async () => {
    await say("mine", 0, "Hi");
    taskService.createFaults.push({ refusal: new Refusal("SERVER_DRAINING", "It is stopping."), after: true });
    await adopt();
    expect(taskService.created).toHaveLength(1);
    stage.world.pass(60_000);
    const session = await adoptedSession();
    await claim(session);
    await adopt();
    await say("mine", 0, "Hi");
    await announce("mine");
    await adopt();
    expect(taskService.created).toHaveLength(1);
    expect(await turnsOf(stage.app, session.id)).toEqual(["running"]);
  });

  test("may be claimed before it is known that its session was made", async () => {
    await say("mine", 0, "Hi");
    taskService.createFaults.push({ refusal: new Refusal("SERVER_DRAINING", "It is stopping."), after: true });
    await adopt();
    const [session] = taskService.created;
    if (session === undefined) throw new Error("No session was made.");
    await claim(session);
    await adopt();
    expect(await turnsOf(stage.app, session.id)).toEqual(["running"]);
  });

  test("makes none without a word in it", async () => {
    await announce("draft", "Untitled");
    await say("draft", 0, " \n");
    await say("draft", 1, "an agent that talks to itself", "assistant");
    await adopt();
    expect(taskService.created).toEqual([]);
  });

  test("makes none of what the bridge itself has asked for, nor of what has lost its way", async () => {
    const request = (await stage.thread()).latestTurn?.id ?? "";
    await stage.editor.entry({ thread: "elsewhere", request, index: 0, content: "stray", role: "user" });
    await announce("thread-1");
    await adopt();
    expect(taskService.created).toEqual([]);
  });

  test("stays the editor's own where task-service says no, and is not asked for again", async () => {
    await say("mine", 0, "Hi");
    taskService.createFaults.push({ refusal: new Refusal("WORK_SESSION_STATUS_CONFLICT", "The task has ended.") });
    await adopt();
    stage.world.pass(3_600_000);
    await say("mine", 2, "Hello?");
    await adopt();
    expect(taskService.created).toEqual([]);
  });

  test("waits with no more than so many others", async () => {
    for (let count = 0; count <= stage.app.limits.editorThreadsMax; count++) await say(`mine-${count}`, 0, "Hi");
    await adopt();
    expect(taskService.created).toHaveLength(stage.app.limits.editorThreadsMax);
  });

  test("is heard of also in an editor that somebody else started, before any session was carried out there", async () => {
    await stage.app.database.transact(async ({ instances }) => {
      (await instances.lockExisting(stage.session.instanceId)).runner = "";
    });
    await say("mine", 0, "Hi");
    const session = await adoptedSession();
    expect(await turnsOf(stage.app, session.id)).toEqual(["running"]);
  });

  test("comes back after a restart of the editor like any other", async () => {
    await say("mine", 0, "Hi");
    const session = await adoptedSession();
    await stage.editor.crash();
    expect(await turnsOf(stage.app, session.id)).toEqual(["failed EDITOR_LOST"]);
    stage.world.pass(1_000);
    await stage.editor.start();
    const opened = (await stage.editor.take()).map(({ data }) => "acp_thread_id" in data && data.acp_thread_id);
    expect(new Set(opened)).toEqual(new Set(["mine", "thread-1"]));
  });

  test("keeps its editor until it has its session", async () => {
    await say("mine", 0, "Hi");
    await closeThread(stage.app, { ...stage.session, reason: "completed" });
    stage.world.pass(60_000);
    await expireDeadlines(stage.app, { runner });
    const session = await adoptedSession();
    expect(await threadOf(stage.app, session.id)).toMatchObject({ mapping: { status: "active" } });
  });
});

function marked(zed_session_id: string, zed_thread_id: string): WorkSession["environmentConfig"] {
  const [session] = taskService.created;
  if (session?.environmentConfig === undefined) throw new Error("No session was made.");
  return { ...session.environmentConfig, extra: { editor_thread: { zed_session_id, zed_thread_id } } };
}

describe("a session that says it is for a thread of an editor", () => {
  test("is refused where it is not: another task's, or none", async () => {
    await say("mine", 0, "Hi");
    await adopt();
    const [session] = taskService.created;
    if (session === undefined) throw new Error("No session was made.");
    taskService.add(session.id);
    const { instanceId } = stage.session;
    for (const [taskId, thread] of [
      ["tsk_other", "mine"],
      [session.taskId, "none"],
    ] as const) {
      await claim({ ...session, taskId, environmentConfig: marked(instanceId, thread) });
    }
    expect(taskService.taken.map(({ reason }) => reason)).toContain("EDITOR_THREAD_UNKNOWN");
    await expect(threadOf(stage.app, session.id)).rejects.toMatchObject({ reason: "ZED_THREAD_NOT_FOUND" });
  });
});
