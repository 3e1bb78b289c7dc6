import { readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

const NOWHERE = "0".repeat(32);

describe("bad input", () => {
  let cluster: Cluster;
  let rest: RestClient;

  beforeAll(async () => {
    cluster = await startCluster();
    rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
  }, 60_000);

  // Fails if a service ended by itself on the way.
  afterAll(() => cluster.stop());

  /** Creates a batch task with one session and waits for the session's end. */
  async function endOfSession(session: Json): Promise<Json> {
    const work_sessions = [{ name: "Try", agent_type: "zed_agent", ...session }];
    const { body: task } = await rest.post("/api/v1/tasks", { name: "Try", task_type: "batch", work_sessions });
    return eventually("the session has ended", async () => {
      const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
      return body["work_sessions"].find(({ status }: Json) => ["completed", "failed"].includes(status));
    });
  }

  test.each([
    ["GET", `/api/v1/tasks/tsk_${NOWHERE}`, "TASK_NOT_FOUND"],
    ["DELETE", `/api/v1/tasks/tsk_${NOWHERE}`, "TASK_NOT_FOUND"],
    ["GET", `/api/v1/tasks/tsk_${NOWHERE}/work-sessions`, "TASK_NOT_FOUND"],
    ["GET", `/api/v1/work-sessions/ws_${NOWHERE}`, "WORK_SESSION_NOT_FOUND"],
    ["GET", `/api/v1/work-sessions/ws_${NOWHERE}/zed-thread`, "ZED_THREAD_NOT_FOUND"],
    ["GET", `/api/v1/work-sessions/ws_${NOWHERE}/zed-thread/entries`, "ZED_THREAD_NOT_FOUND"],
    ["GET", `/api/v1/zed-instances/zed_${NOWHERE}`, "ZED_INSTANCE_NOT_FOUND"],
  ])("an unknown id is not found: %s %s", async (method, place, reason) => {
    const { status, body } = await rest.send(method, place);
    expect({ status, reason: reasonOf(body) }).toEqual({ status: 404, reason });
  });

  test.each([
    ["cut off", `{"name": "Try"`],
    ["no object", `[1, 2]`],
    ["a number for a text", `{"name": 7, "task_type": "batch"}`],
    ["a field that does not exist", `{"name": "Try", "task_type": "batch", "colour": "red"}`],
  ])("wrong JSON is refused with what is wrong: %s", async (_what, body) => {
    const answer = await rest.send("POST", "/api/v1/tasks", body);
    expect(answer).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
    expect(answer.body["error"]["message"]).not.toMatch(/\bat \/|node_modules|TypeError/);
  });

  test("an unknown enum value is refused, and the known ones are named", async () => {
    const { status, body } = await rest.post("/api/v1/tasks", { name: "Try", task_type: "weekly" });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toMatch(/task_type.*interactive.*batch.*coding_session/);
  });

  test("an unknown agent type is refused, and the known ones are named", async () => {
    const work_sessions = [{ name: "Try", agent_type: "zed_imaginary" }];
    const { status, body } = await rest.post("/api/v1/tasks", { name: "Try", task_type: "batch", work_sessions });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toMatch(/work_sessions\[0\]\.agent_type.*zed_claude_code/);
  });

  test("a relative project path is refused", async () => {
    const { status, body } = await rest.post("/api/v1/tasks", {
      name: "Try",
      task_type: "batch",
      project_path: "../x",
    });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("project_path");
  });

  test("a session whose project path is outside the allowed roots fails and says so", async () => {
    const session = await endOfSession({ environment_config: { project_path: "/etc" } });
    expect(session).toMatchObject({ status: "failed", status_reason: "PROJECT_PATH_OUTSIDE_ROOTS" });
  });

  test("a symbolic link does not lead out of the allowed roots", async () => {
    const link = path.join(cluster.workspaceRoot, "way-out");
    symlinkSync("/etc", link);
    const session = await endOfSession({ environment_config: { project_path: link } });
    expect(session).toMatchObject({ status: "failed", status_reason: "PROJECT_PATH_OUTSIDE_ROOTS" });
  });

  test("a session whose project path does not exist fails and says so", async () => {
    const project_path = path.join(cluster.workspaceRoot, "nowhere");
    const session = await endOfSession({ environment_config: { project_path } });
    expect(session).toMatchObject({ status: "failed", status_reason: "PROJECT_PATH_MISSING" });
  });

  test("a session whose agent is not installed fails and names the agent", async () => {
    const project_path = cluster.makeRepository("not-installed");
    const session = await endOfSession({ agent_type: "zed_claude_code", environment_config: { project_path } });
    expect(session).toMatchObject({ status: "failed", status_reason: "AGENT_NOT_AVAILABLE" });
    expect(session["result"]["error"]).toMatch(/claude.*not (installed|found)/);
  });

  test("an editor's token opens the link of no other editor", async () => {
    const [first, second] = [await startEditor("first"), await startEditor("second")];
    expect(await linkStatus(first.id, second.token)).toBe(401);
    expect(await linkStatus(first.id, "x".repeat(43))).toBe(401);
    expect(await linkStatus(first.id, undefined)).toBe(401);
    expect(await linkStatus(`zed_${NOWHERE}`, first.token)).toBe(401);
    cluster.model.release("editors");
  });

  test("leaves the services up", async () => {
    expect(await rest.get("/readyz")).toMatchObject({ status: 200 });
    expect(await rest.get("/api/v1/tasks")).toMatchObject({ status: 200 });
  });

  /** Starts an editor whose agent is at work, and takes its token from its process, as only its owner can. */
  async function startEditor(name: string): Promise<{ readonly id: string; readonly token: string }> {
    const { body: task } = await rest.post("/api/v1/tasks", {
      name: `Try [demo: hold editors]`,
      task_type: "batch",
      project_path: cluster.makeRepository(name),
    });
    const instance = await eventually("the editor is connected", async () => {
      const { body } = await rest.get(`/api/v1/zed-instances?task_id=${task["id"]}`);
      return body["zed_instances"].find(({ connected }: Json) => connected);
    });
    const environment = readFileSync(`/proc/${instance["pid"]}/environ`, "utf8").split("\0");
    const token = environment.find((line) => line.startsWith("ZED_HELIX_TOKEN="))?.split("=")[1] ?? "";
    expect(token).toMatch(/^[\w-]{43}$/);
    return { id: instance["id"], token };
  }

  /** The HTTP status with which an attempt to connect is answered; 101 for one that is let in. */
  function linkStatus(instanceId: string, token: string | undefined): Promise<number> {
    const url = `${cluster.bridgeUrl}/api/v1/external-agents/sync?session_id=${instanceId}`;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, { headers });
    return new Promise((resolve, reject) => {
      socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
      socket.on("open", () => {
        socket.close();
        resolve(101);
      });
      socket.on("error", reject);
    });
  }
});

function reasonOf(body: Json): string {
  const details: Json[] = body["error"]?.["details"] ?? [];
  return details.find((detail) => String(detail["@type"]).endsWith("ErrorInfo"))?.["reason"];
}
