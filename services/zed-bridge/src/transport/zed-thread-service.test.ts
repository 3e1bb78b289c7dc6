import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Actor, principalOf, systemWorld } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import {
  EntryRole,
  PermissionOptionKind,
  type Turn,
  TurnStatus,
  ZedThreadStatus,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import {
  PermissionDecision,
  type WatchZedThreadResponse,
  ZedThreadService,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { type Server, serve } from "@helix-zed/server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FoundWorkSession } from "../application/app.ts";
import { openThread } from "../application/open-thread.ts";
import { runner } from "../testing/bridge-app.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import { silentLog } from "../testing/serve-links.ts";
import { Stage } from "../testing/stage.ts";
import { reasonCodes } from "./reason-codes.ts";
import { zedRoutes } from "./zed-routes.ts";

const stage = new Stage();
const sessions = new Map<string, FoundWorkSession>();
let root: string;
let server: Server;
let threads: Client<typeof ZedThreadService>;
let strangers: Client<typeof ZedThreadService>;
let instances: Client<typeof ZedInstanceService>;
let workSessionId: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(realpathSync(tmpdir()), "zed-thread-service-"));
  for (const name of ["project", "other"]) mkdirSync(path.join(root, name));
  await stage.open({ roots: [root], workSessions: { find: findSession } });
  server = await serve({
    host: "127.0.0.1",
    port: 0,
    routes: zedRoutes(stage.app),
    authenticate: (headers) => ({ actor: { kind: "user", userId: headers.get("authorization") ?? "" } }),
    codes: reasonCodes,
    log: silentLog,
    world: systemWorld(),
  });
  const as = (user: string) =>
    createGrpcTransport({
      baseUrl: `http://127.0.0.1:${server.port}`,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", user);
          return next(request);
        },
      ],
    });
  threads = createClient(ZedThreadService, as("ann"));
  instances = createClient(ZedInstanceService, as("ann"));
  strangers = createClient(ZedThreadService, as("bob"));
});

afterAll(async () => {
  await server.close({ graceMs: 100 });
  await stage.close();
  rmSync(root, { recursive: true });
});

beforeEach(() => {
  workSessionId = addSession();
});

async function findSession(actor: Actor, id: string): Promise<FoundWorkSession | null> {
  const session = sessions.get(id);
  return session?.userId === principalOf(actor)?.userId ? (session ?? null) : null;
}

function addSession(parts: Partial<FoundWorkSession> = {}): string {
  const id = stage.app.world.newId("ws");
  const owner = { id, taskId: stage.app.world.newId("tsk"), userId: "ann", organizationId: "" };
  const work = { agentType: "zed_agent", name: "Work", ended: false, onTurnEnd: "idle", ownCopy: false } as const;
  sessions.set(id, { ...owner, ...work, projectPath: path.join(root, "project"), ...parts });
  return id;
}

async function claim(): Promise<ScriptedEditor> {
  const session = sessions.get(workSessionId);
  if (session === undefined) throw new Error("no session");
  const { projectPath, onTurnEnd } = session;
  const lease = { leaseEpoch: 1n, firstPrompt: "Say hello", runner };
  const { instanceId } = await openThread(stage.app, { workSession: session, projectPath, onTurnEnd, ...lease });
  return new ScriptedEditor(stage.app, instanceId);
}

async function refusalOf(call: Promise<unknown>): Promise<{ code: Code; reason: string }> {
  const error = ConnectError.from(await call.then(() => new Error("was not refused")).catch((e: unknown) => e));
  return { code: error.code, reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? "" };
}

describe("CreateZedThread", () => {
  test("makes a thread that waits for the session to be worked on, and finds it again", async () => {
    const wanted = { workSessionId, workspaceConfig: { theme: "dark", depth: { n: [1, null] } } };
    const { zedThread: made } = await threads.createZedThread(wanted);
    expect(made).toMatchObject({
      workSessionId,
      status: ZedThreadStatus.PENDING,
      projectPath: path.join(root, "project"),
      workspaceConfig: wanted.workspaceConfig,
      agentName: "zed-agent",
      zedThreadId: "",
    });
    expect((await threads.createZedThread({ workSessionId })).zedThread?.id).toBe(made?.id);
    expect((await threads.getZedThread({ workSessionId })).zedThread?.id).toBe(made?.id);
    const { zedInstance } = await instances.getZedInstance({ id: made?.zedSessionId ?? "" });
    expect(zedInstance).toMatchObject({ pid: 0, connected: false });
  });

  test("keeps the folder that a caller chose when the session is claimed", async () => {
    const projectPath = path.join(root, "other");
    const { zedThread: made } = await threads.createZedThread({ workSessionId, projectPath });
    await claim();
    expect((await threads.getZedThread({ workSessionId })).zedThread).toMatchObject({ id: made?.id, projectPath });
    const elsewhere = { workSessionId, projectPath: path.join(root, "project") };
    expect(await refusalOf(threads.createZedThread(elsewhere))).toEqual({
      code: Code.AlreadyExists,
      reason: "ZED_THREAD_EXISTS",
    });
  });

  test("makes one thread, whoever asks for it at the same time", async () => {
    const wanted = ["project", "other"].map((name) => ({ workSessionId, projectPath: path.join(root, name) }));
    const calls = Array.from({ length: 10 }, (_, index) => threads.createZedThread(wanted[index % 2] ?? {}));
    const results = await Promise.allSettled([...calls, claim()]);
    const made = results.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const ids = made.flatMap((value) => ("zedThread" in value ? [value.zedThread?.id] : []));
    expect(new Set(ids).size).toBeLessThanOrEqual(1);
    const refused = results.flatMap((each) =>
      each.status === "rejected" ? [ConnectError.from(each.reason).code] : [],
    );
    expect(new Set(refused)).toEqual(new Set([Code.AlreadyExists]));
  });

  test.each([
    ["an unknown session", { workSessionId: "ws_0" }, Code.NotFound, "WORK_SESSION_NOT_FOUND"],
    ["a folder outside of the roots", { projectPath: "/etc" }, Code.InvalidArgument, "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["a relative folder", { projectPath: "project" }, Code.InvalidArgument, "PROJECT_PATH_NOT_ABSOLUTE"],
    [
      "a large workspace_config",
      { workspaceConfig: { text: "x".repeat(17_000) } },
      Code.InvalidArgument,
      "WORKSPACE_CONFIG_TOO_LARGE",
    ],
  ])("refuses %s", async (_, difference, code, reason) => {
    expect(await refusalOf(threads.createZedThread({ workSessionId, ...difference }))).toEqual({ code, reason });
  });

  test.each([
    ["has ended", { ended: true }, Code.FailedPrecondition, "WORK_SESSION_ENDED"],
    ["is for a copy that is not made yet", { ownCopy: true }, Code.FailedPrecondition, "WORKSPACE_NOT_MADE"],
    ["names no folder", { projectPath: "" }, Code.InvalidArgument, "PROJECT_PATH_REQUIRED"],
    ["is another's", { userId: "bob" }, Code.NotFound, "WORK_SESSION_NOT_FOUND"],
    ["is for an agent that is not driven here", { agentType: "simple" }, Code.FailedPrecondition, "AGENT_TYPE_UNKNOWN"],
  ])("refuses a session that %s", async (_, parts, code, reason) => {
    expect(await refusalOf(threads.createZedThread({ workSessionId: addSession(parts) }))).toEqual({ code, reason });
  });
});

describe("a thread's story", () => {
  test("is the same in its messages, its entries and its watch", async () => {
    const editor = await claim();
    await editor.start();
    await editor.answer(await editor.beginThread(), "Hello");
    const { turn } = await threads.sendMessage({ workSessionId, message: "More" });
    expect(turn).toMatchObject({ number: 2, status: TurnStatus.QUEUED, message: "More" });
    const { zedThread } = await threads.getZedThread({ workSessionId });
    expect(zedThread).toMatchObject({ status: ZedThreadStatus.ACTIVE, zedThreadId: "thread-1", queuedTurnCount: 1 });
    expect(zedThread?.latestTurn).toMatchObject({ number: 1, status: TurnStatus.COMPLETED });
    const { turn: taken } = await threads.cancelTurn({ workSessionId, turnId: turn?.id ?? "" });
    expect(taken).toMatchObject({ status: TurnStatus.INTERRUPTED, statusReason: "CANCELLED" });
    const { entries } = await threads.listEntries({ workSessionId });
    expect(entries).toMatchObject([
      { role: EntryRole.USER, content: "Say hello", position: 0 },
      { role: EntryRole.ASSISTANT, content: "Hello", position: 2 },
    ]);
    await threads.deleteZedThread({ workSessionId });
    const watched = await Array.fromAsync(threads.watchZedThread({ workSessionId }));
    const resources = watched.flatMap(({ event }) => (event.case === "changed" ? [event.value.resource] : []));
    const seen = resources.flatMap((resource) => (resource.case === "entry" ? [resource.value] : []));
    expect(seen.toSorted((a, b) => a.position - b.position)).toEqual(entries);
    expect(watched.at(-1)?.event.case).toBe("synced");
    expect(resources.find((resource) => resource.case === "zedThread")?.value).toMatchObject({
      status: ZedThreadStatus.COMPLETED,
      statusReason: "THREAD_DELETED",
    });
  });

  test("has what its agent asks, in the turn and in a watch, until that is answered", async () => {
    const editor = await claim();
    await editor.start();
    const request_id = await editor.beginThread();
    const option = { option_id: "yes", name: "Yes", kind: "allow_once" } as const;
    const asked = { acp_thread_id: "thread-1", request_id, permission_id: "p1", title: "rm", tool_name: "rm" };
    await editor.say({ event_type: "permission_requested", data: { ...asked, options: [option], timestamp: 1 } });
    const watch = threads.watchZedThread({ workSessionId })[Symbol.asyncIterator]();
    const turn = await nextTurn(watch, ({ status }) => status === TurnStatus.WAITING);
    expect(turn.permissionRequests).toMatchObject([
      { title: "rm", toolName: "rm", options: [{ id: "yes", name: "Yes", kind: PermissionOptionKind.ALLOW_ONCE }] },
    ]);
    const [open] = turn.permissionRequests;
    const expiresAfterMs = timestampMs(open?.expiresAt) - timestampMs(open?.requestedAt);
    expect(expiresAfterMs).toBe(stage.app.limits.permissionTimeoutMs);
    const permission = { workSessionId, permissionId: open?.id ?? "" };
    const answer = { case: "decision", value: PermissionDecision.ALLOW_ONCE } as const;
    expect(await refusalOf(strangers.answerPermission({ ...permission, answer }))).toMatchObject({
      code: Code.NotFound,
    });
    expect(await refusalOf(threads.answerPermission(permission))).toMatchObject({ code: Code.InvalidArgument });
    const { turn: answered } = await threads.answerPermission({ ...permission, answer });
    expect(answered).toMatchObject({ status: TurnStatus.WAITING, permissionRequests: [] });
    await nextTurn(watch, ({ permissionRequests }) => permissionRequests.length === 0);
    const resolved = { acp_thread_id: "thread-1", permission_id: "p1", outcome: "allowed" } as const;
    await editor.say({ event_type: "permission_resolved", data: resolved });
    await nextTurn(watch, ({ status }) => status === TurnStatus.RUNNING);
    await watch.return?.();
  });

  test("is read page by page", async () => {
    const editor = await claim();
    await editor.start();
    const request = await editor.beginThread();
    for (let index = 1; index <= 6; index++) await editor.entry({ request, index, content: `entry ${index}` });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await threads.listEntries({ workSessionId, pageSize: 3, pageToken });
      seen.push(...page.entries.map(({ content }) => content));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["Say hello", ...Array.from({ length: 6 }, (_, index) => `entry ${index + 1}`)]);
    expect(await refusalOf(threads.listEntries({ workSessionId, pageToken: "nonsense" }))).toEqual({
      code: Code.InvalidArgument,
      reason: "PAGE_TOKEN_INVALID",
    });
  });

  test("is nobody else's, in any call", async () => {
    await claim();
    const hidden = { code: Code.NotFound, reason: "ZED_THREAD_NOT_FOUND" };
    expect(await refusalOf(strangers.getZedThread({ workSessionId }))).toEqual(hidden);
    expect(await refusalOf(strangers.deleteZedThread({ workSessionId }))).toEqual(hidden);
    expect(await refusalOf(strangers.cancelTurn({ workSessionId }))).toEqual(hidden);
    expect(await refusalOf(strangers.listEntries({ workSessionId }))).toEqual(hidden);
    expect(await refusalOf(Array.fromAsync(strangers.watchZedThread({ workSessionId })))).toEqual(hidden);
    const noSession = { code: Code.NotFound, reason: "WORK_SESSION_NOT_FOUND" };
    expect(await refusalOf(strangers.sendMessage({ workSessionId, message: "x" }))).toEqual(noSession);
    expect(await refusalOf(strangers.createZedThread({ workSessionId }))).toEqual(noSession);
  });
});

function sendToEnded() {
  return threads.sendMessage({ workSessionId: addSession({ ended: true }), message: "x" });
}

describe("text that cannot be stored", () => {
  test.each([
    ["a message", () => threads.sendMessage({ workSessionId, message: "a\0b" })],
    ["an id", () => threads.getZedThread({ workSessionId: "\0" })],
    ["settings", () => threads.createZedThread({ workSessionId, workspaceConfig: { list: [{ text: "\0" }] } })],
    ["a watch", () => Array.fromAsync(threads.watchZedThread({ workSessionId: "\0" }))],
    ["an instance's id", () => instances.getZedInstance({ id: "\0" })],
  ])("is refused in %s", async (_, call) => {
    expect(await refusalOf(call())).toEqual({ code: Code.InvalidArgument, reason: "INVALID_REQUEST" });
  });
});

describe("a call that the state forbids", () => {
  test.each([
    [
      "a message before there is a thread",
      () => threads.sendMessage({ workSessionId, message: "x" }),
      "THREAD_NOT_STARTED",
    ],
    ["a message to a session that has ended", () => sendToEnded(), "WORK_SESSION_ENDED"],
  ])("%s is refused with its reason", async (_, call, reason) => {
    expect(await refusalOf(call())).toEqual({ code: Code.FailedPrecondition, reason });
  });

  test("a cancel where nothing runs, and of a turn that there is not", async () => {
    await claim();
    expect((await refusalOf(threads.cancelTurn({ workSessionId }))).reason).toBe("NO_TURN_RUNNING");
    expect((await refusalOf(threads.cancelTurn({ workSessionId, turnId: "trn_0" }))).reason).toBe("TURN_NOT_FOUND");
  });
});

/** The next turn on a watch for which this is true. */
async function nextTurn(
  watch: AsyncIterator<WatchZedThreadResponse>,
  condition: (turn: Turn) => boolean,
): Promise<Turn> {
  for (;;) {
    const { done, value } = await watch.next();
    if (done === true) throw new Error("the watch has ended");
    const resource = value.event.case === "changed" ? value.event.value.resource : undefined;
    if (resource?.case === "turn" && condition(resource.value)) return resource.value;
  }
}

function timestampMs(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? Number.NaN : Number(timestampDate(timestamp));
}
