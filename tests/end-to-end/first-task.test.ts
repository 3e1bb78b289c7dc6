import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { type Json, RestClient, type ServerSentEvent } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

describe("a first task, by HTTP alone, with a real agent", () => {
  let cluster: Cluster;
  let rest: RestClient;
  let repository: string;
  let task: Json;
  let events: ServerSentEvent[];
  let session: Json;

  beforeAll(async () => {
    cluster = await startCluster();
    rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    repository = cluster.makeRepository("shop");
    const created = await rest.post("/api/v1/tasks", {
      name: "Add user profile page",
      description: "Add a page on which users see their profile",
      task_type: "batch",
      work_sessions: [
        { name: "Profile page", agent_type: "zed_agent", environment_config: { project_path: repository } },
      ],
    });
    expect(created.status).toBe(200);
    task = created.body;
    events = await Array.fromAsync(rest.watch(`/api/v1/tasks:watch?task_ids=${task["id"]}&include_work_sessions=true`));
    const sessions = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
    session = sessions.body["work_sessions"][0];
  }, 90_000);

  afterAll(() => cluster.stop());

  test("is pending when it has been created", () => {
    expect(task).toMatchObject({ name: "Add user profile page", task_type: "batch", status: "pending" });
    expect(task["id"]).toMatch(/^tsk_[0-9a-f]{32}$/);
  });

  test("is seen on the watch going from pending over active to completed", () => {
    const seen = statuses(events.map(({ data }) => data["changed"]?.["task"]));
    expect(seen).toEqual(["pending", "active", "completed"].slice(3 - seen.length));
    expect(seen).toContain("active");
  });

  test("ends the watch when it has ended", () => {
    const last = events.findLast(({ event }) => event === "changed");
    expect(last?.data["changed"]["task"]).toMatchObject({ id: task["id"], status: "completed" });
    expect(events.filter(({ event }) => event === "synced")).toHaveLength(1);
  });

  test("gives every event after the snapshot a resume token as its id", () => {
    const synced = events.findIndex(({ event }) => event === "synced");
    expect(events.slice(synced, -1).filter(({ id }) => id === "")).toEqual([]);
    expect(events.at(-1)).toMatchObject({ event: "end" });
  });

  test("has one work session, completed with the agent's closing words", () => {
    expect(session).toMatchObject({ status: "completed", agent_type: "zed_agent", attempt: 1, task_id: task["id"] });
    expect(session["result"]["summary"]).not.toBe("");
    expect(session["helix_session_id"]).toMatch(/^ses_/);
  });

  test("maps the session to one thread of one editor instance", async () => {
    const { body: thread } = await rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread`);
    expect(thread).toMatchObject({ status: "completed", project_path: repository, agent_name: "zed-agent" });
    expect(thread["zed_thread_id"]).not.toBe("");
    expect(thread["zed_session_id"]).toMatch(/^zed_/);
    expect(thread["latest_turn"]).toMatchObject({ status: "completed", number: 1, attempt: 1 });
  });

  test("has a transcript: the prompt, what the agent said, and the tool it used", async () => {
    const { body } = await rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread/entries`);
    const entries: Json[] = body["entries"];
    expect(entries[0]).toMatchObject({
      role: "user",
      type: "text",
      content: "Add a page on which users see their profile",
    });
    expect(entries.filter(({ type }) => type === "tool_call")).toMatchObject([{ tool_status: "Completed" }]);
    expect(entries.at(-1)).toMatchObject({ role: "assistant", type: "text" });
  });

  test("leaves the file that the agent wrote in the repository", () => {
    const changed = execFileSync("git", ["status", "--porcelain"], { cwd: repository, encoding: "utf8" }).trim();
    const file = /^\?\? (?<name>\S+)$/.exec(changed)?.groups?.["name"] ?? "";
    expect(file).toContain("profile");
    expect(readFileSync(path.join(repository, file), "utf8")).toContain("demo model");
  });

  test("stops the editor when its last thread has ended", async () => {
    const { body } = await rest.get("/api/v1/zed-instances");
    expect(body["zed_instances"]).toMatchObject([{ task_id: task["id"], launch_target: "acp-host" }]);
  });
});

/** The statuses in their order, each run of the same once. */
function statuses(resources: readonly (Json | undefined)[]): string[] {
  const all = resources.flatMap((resource) => (resource === undefined ? [] : [String(resource["status"])]));
  return all.filter((status, index) => status !== all[index - 1]);
}
