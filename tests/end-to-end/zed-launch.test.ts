// The whole system with a Zed to launch, and with one that somebody else has launched. No Zed can run where tests do: the
// first is the stand-in that checks all it is started with, the second the test kit's fake one, in the place of a sandbox.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { say } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { FakeZed } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { fastWorld } from "@helix-zed/harness/fake-zed/zed-world.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { survivorsOf } from "@helix-zed/harness/survivors.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeStandInZed } from "../../services/zed-bridge/src/launcher/testing/make-stand-in-zed.ts";

let programs: string;
let cluster: Cluster;
let rest: RestClient;

beforeAll(async () => {
  programs = mkdtempSync(path.join(tmpdir(), "helix-zed-programs-"));
  const binary = makeStandInZed(programs);
  cluster = await startCluster({ environment: { "zed-bridge": { ZED_BINARY: binary } } });
  rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
}, 90_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(programs, { recursive: true });
});

async function instanceOf(task: Json): Promise<Json> {
  const { body } = await rest.get(`/api/v1/zed-instances?task_id=${task["id"]}`);
  return body["zed_instances"][0];
}

/** Waits until this is what was said in a session. */
function transcript(session: Json, ...wanted: readonly string[]): Promise<unknown> {
  return eventually(`the transcript ${wanted.join(" | ")}`, async () => {
    const { body } = await rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread/entries`);
    const entries: readonly Json[] = body["entries"] ?? [];
    return entries.map(({ role, content }) => `${role}: ${content}`).join() === wanted.join();
  });
}

describe("a bridge that is given a Zed", { timeout: 60_000 }, () => {
  let task: Json;
  let session: Json;
  const spoken = ["user: Say hello", "assistant: heard Say hello"];

  beforeAll(async () => {
    ({ body: task } = await rest.post("/api/v1/tasks", {
      name: "Say hello",
      task_type: "interactive",
      project_path: cluster.makeRepository("zed"),
    }));
    const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
    session = body["work_sessions"][0];
    await transcript(session, ...spoken);
  }, 60_000);

  test("launches it without a window, unless told otherwise", async () => {
    expect(await instanceOf(task)).toMatchObject({ launch_target: "zed-headless", status: "running", connected: true });
  });

  test("tells it by its settings which agents there are, and where its agents find us", async () => {
    const { id } = await instanceOf(task);
    const report = path.join(cluster.layout.dataFolder, "zed-bridge/instances", id, "data/report.json");
    const { settings } = JSON.parse(readFileSync(report, "utf8"));
    expect(settings).toMatchObject({
      agent_servers: { qwen: { type: "custom" } },
      context_servers: { helix: { url: expect.stringContaining("http://127.0.0.1:") } },
    });
  });

  test("takes it over when it is killed and started again, and launches no second one", async () => {
    const { pid } = await instanceOf(task);
    await cluster.service("zed-bridge").restart("SIGKILL");
    const found = await eventually("it is connected again", async () => {
      const instance = await instanceOf(task);
      return instance["connected"] && instance;
    });
    expect(found).toMatchObject({ pid, restart_count: 0, status: "running" });
    await rest.post(`/api/v1/work-sessions/${session["id"]}/zed-thread/messages`, { message: "More" });
    await transcript(session, ...spoken, "user: More", "assistant: heard More");
    const zeds = survivorsOf(cluster.layout.dataFolder).filter(({ command }) => command.includes("--user-data-dir"));
    expect(zeds.map((zed) => zed.pid)).toEqual([pid]);
  });
});

describe("an editor in a sandbox, adopted over REST", { timeout: 60_000 }, () => {
  const presented = "ses_of-a-sandbox";
  let task: Json;
  let adopted: Json;
  let zed: FakeZed;

  beforeAll(async () => {
    ({ body: task } = await rest.post("/api/v1/tasks", {
      name: "Sandbox",
      task_type: "interactive",
      work_sessions: [{ name: "Somebody else's", agent_type: "simple" }],
    }));
    const command = { task_id: task["id"], zed_session_id: presented, working_directory: "/home/retro/work" };
    ({ body: adopted } = await rest.post("/api/v1/zed-instances:adopt", command));
    zed = FakeZed.start({
      world: fastWorld(20),
      address: new URL(cluster.bridgeUrl).host,
      instanceId: presented,
      token: adopted["token"],
      headless: false,
      script: ({ message }) => [say(`heard ${message}`)],
    });
  });

  afterAll(() => zed.quit());

  test("is one of the task's instances, which nobody shows the token of", async () => {
    const instance = await instanceOf(task);
    expect(instance).toMatchObject({ launch_target: "external", presented_id: presented, wanted: true });
    expect(JSON.stringify(instance)).not.toContain(adopted["token"]);
  });

  test("carries out the sessions of its task, in its folder", async () => {
    const wanted = { name: "Hello", description: "Say hello", agent_type: "zed_agent" };
    const { body: session } = await rest.post(`/api/v1/tasks/${task["id"]}/work-sessions`, wanted);
    await transcript(session, "user: Say hello", "assistant: heard Say hello");
    const { body: thread } = await rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread`);
    expect(thread).toMatchObject({ project_path: "/home/retro/work", zed_session_id: (await instanceOf(task))["id"] });
  });

  test("has a thread that a person begins in it made a work session of the task, once, which goes on like any other", async () => {
    const theirs = zed.type("Look at this", { title: "Mine" });
    const session = await eventually("the session", async () => {
      const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
      const sessions: readonly Json[] = body["work_sessions"];
      return sessions.find(({ name }) => name === "Mine");
    });
    const said = ["user: Look at this", "assistant: heard Look at this"];
    await transcript(session, ...said);
    await rest.post(`/api/v1/work-sessions/${session["id"]}/zed-thread/messages`, { message: "And at that" });
    await transcript(session, ...said, "user: And at that", "assistant: heard And at that");
    const { body: thread } = await rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread`);
    expect(thread).toMatchObject({ zed_thread_id: theirs, title: "Mine", project_path: "/home/retro/work" });
    const { body } = await rest.get(`/api/v1/work-sessions/${session["id"]}`);
    expect(body).toMatchObject({ status: "active", user_id: task["user_id"] });
  });

  test("is cut off when its token is revoked, and not let in again with it", async () => {
    const { id } = await instanceOf(task);
    const { body: revoked } = await rest.post(`/api/v1/zed-instances/${id}:revokeToken`);
    expect(revoked).toMatchObject({ connected: false, status: "starting", status_reason: "TOKEN_REVOKED" });
    await eventually("it is refused", () => zed.connection.refusals > 0);
    expect(zed.connection.isOpen).toBe(false);
    const { body: issued } = await rest.post(`/api/v1/zed-instances/${id}:issueToken`);
    expect(issued["token"]).toMatch(/^[\w-]{43}$/);
    expect(issued["token"]).not.toBe(adopted["token"]);
  });
});
