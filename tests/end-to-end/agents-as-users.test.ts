import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { survivorsOf } from "@helix-zed/harness/survivors.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

// Real agents with the scripted model, which calls the tools that a prompt asks for.

let cluster: Cluster;
let rest: RestClient;

beforeAll(async () => {
  cluster = await startCluster();
  rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
}, 60_000);

afterAll(() => cluster.stop());

/** What makes the scripted model call a tool. */
function calling(tool: string, input: object = {}): string {
  return `[demo: call ${tool} ${JSON.stringify(input)}]`;
}

async function createTask(type: "batch" | "interactive", repository: string, prompt: string): Promise<Json> {
  const session = { name: "Lead", agent_type: "zed_qwen_code", description: prompt };
  const { status, body } = await rest.post("/api/v1/tasks", {
    name: "Implement authentication",
    task_type: type,
    project_path: repository,
    work_sessions: [session],
  });
  expect(status).toBe(200);
  return body;
}

async function sessionsOf(task: Json): Promise<Json[]> {
  const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
  const sessions: Json[] = body["work_sessions"];
  return sessions;
}

const TOKEN = /hzs_[\w-]{43}/;

/** The files below a folder in which an agent's token stands. */
function filesWithToken(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .filter((file) => TOKEN.test(readFileSync(file, "latin1")));
}

describe("an agent that is told to hand work on", () => {
  let repository: string;
  let task: Json;
  let lead: Json;
  let child: Json;

  beforeAll(async () => {
    repository = cluster.makeRepository("shop");
    const spawn = calling("spawn_work_session", { name: "Tests", instructions: "Write the tests [demo: no-tool]" });
    const wait = calling("wait_for_work_sessions", { timeout_seconds: 60 });
    task = await createTask("batch", repository, `Lead ${spawn} ${wait}`);
    await Array.fromAsync(rest.watch(`/api/v1/tasks:watch?task_ids=${task["id"]}`));
    [lead = {}, child = {}] = await sessionsOf(task);
  }, 120_000);

  test("spawns a second work session, which names who asked for it", () => {
    expect(child).toMatchObject({
      name: "Tests",
      task_id: task["id"],
      agent_type: "zed_qwen_code",
      spawned_by_session_id: lead["helix_session_id"],
      parent_work_session_id: lead["id"],
    });
  });

  test("waits for its result and uses it", () => {
    expect(child).toMatchObject({ status: "completed", result: { summary: "The demo model read: Write the tests" } });
    expect(lead).toMatchObject({ status: "completed" });
    expect(lead["result"]["summary"]).toContain('"summary": "The demo model read: Write the tests"');
  });

  test("shows its calls in the transcript, and no token", async () => {
    const { body } = await rest.get(`/api/v1/work-sessions/${lead["id"]}/zed-thread/entries`);
    const entries: Json[] = body["entries"];
    const calls = entries.filter(({ type }) => type === "tool_call");
    expect(calls.length).toBeGreaterThanOrEqual(2);
    expect(new Set(calls.map(({ tool_status }) => tool_status))).toEqual(new Set(["Completed"]));
    expect(JSON.stringify(body)).not.toMatch(TOKEN);
  });
});

describe("an agent of a session that stays open", () => {
  let task: Json;
  let id: string;
  let repository: string;

  beforeAll(async () => {
    repository = cluster.makeRepository("open");
    task = await createTask("interactive", repository, `Look ${calling("list_work_sessions")}`);
    id = String((await sessionsOf(task))[0]?.["id"]);
  });

  /** The last thing that the agent said, once it has ended this many turns. */
  async function answer(turns: number): Promise<string> {
    const hasEnded = async (): Promise<boolean> => {
      const { body } = await rest.get(`/api/v1/work-sessions/${id}/zed-thread`);
      const turn: Json | undefined = body["latest_turn"];
      return turn?.["number"] === turns && turn["status"] === "completed";
    };
    await eventually(`the end of turn ${turns}`, hasEnded, 90_000);
    const { body } = await rest.get(`/api/v1/work-sessions/${id}/zed-thread/entries?page_size=1000`);
    const entries: Json[] = body["entries"];
    return String(entries.at(-1)?.["content"]);
  }

  async function say(message: string): Promise<void> {
    const { status } = await rest.post(`/api/v1/work-sessions/${id}/zed-thread/messages`, { message });
    expect(status).toBe(200);
  }

  test("sees the sessions of its task", async () => {
    expect(await answer(1)).toContain('"name": "Lead"');
  }, 120_000);

  test("carries no token where others could read it: arguments, logs, settings, or the project", async () => {
    const { dataFolder } = cluster.layout;
    const running = survivorsOf(dataFolder);
    expect(running.some(({ command }) => command.includes("qwen"))).toBe(true);
    expect(running.filter(({ command }) => TOKEN.test(command))).toEqual([]);
    expect(filesWithToken(dataFolder)).toEqual([]);
    expect(filesWithToken(repository)).toEqual([]);
  });

  test("waits in a later turn for a session in the same folder, which its own turn does not hold up", async () => {
    const spawn = calling("spawn_work_session", { name: "Tests", instructions: "Write the tests [demo: no-tool]" });
    await say(`Hand on ${spawn} ${calling("wait_for_work_sessions", { timeout_seconds: 60 })}`);
    expect(await answer(2)).toContain('"complete": true');
  }, 120_000);

  test("has the tools again after its host was killed, with a token of the new launch", async () => {
    const { body } = await rest.get(`/api/v1/zed-instances?task_id=${task["id"]}`);
    process.kill(Number(body["zed_instances"][0]["pid"]), "SIGKILL");
    await say(`Look again ${calling("list_work_sessions", { spawned_by_you: true })}`);
    expect(await answer(3)).toContain('"name": "Tests"');
  }, 120_000);

  test("ends its session with its own report, which the turn-end policy would not", async () => {
    await say(`Finish ${calling("report_result", { status: "completed", summary: "Everything is written." })}`);
    const ended = await eventually("the end of the session", async () => {
      const { body } = await rest.get(`/api/v1/work-sessions/${id}`);
      return body["status"] === "active" ? null : body;
    });
    expect(ended).toMatchObject({
      status: "completed",
      status_reason: "REPORTED_BY_AGENT",
      result: { summary: "Everything is written." },
    });
    expect(await answer(4)).toContain('"session_ends": "when this turn ends"');
  }, 120_000);
});
