// One process is killed without warning while the agent is in the middle of its answer. Whichever it is, the session
// still ends as it would have, once, and its transcript shows the turn once.
//
// "The middle" is exact: the model has said its first sentence, the bridge has stored it, and the model waits.

import { existsSync } from "node:fs";
import path from "node:path";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { survivorsOf } from "@helix-zed/harness/survivors.ts";
import { describe, expect, test } from "vitest";

/** A running turn, and who may be killed under it. */
interface Scene {
  readonly cluster: Cluster;
  readonly rest: RestClient;
  readonly sessionId: string;
}

/** Lets the model finish its answer. */
type GoOn = () => void;

const FILE = "profile.md";

const victims: Record<string, (scene: Scene, goOn: GoOn) => Promise<void>> = {
  "the agent": async ({ cluster }, goOn) => {
    process.kill(agentOf(cluster), "SIGKILL");
    goOn();
  },
  "acp-host": async ({ rest }, goOn) => {
    const { body } = await rest.get("/api/v1/zed-instances");
    process.kill(body["zed_instances"][0]["pid"], "SIGKILL");
    goOn();
  },
  "zed-bridge": async ({ cluster }, goOn) => {
    await cluster.service("zed-bridge").restart("SIGKILL");
    goOn();
  },
  "zed-bridge, and the turn ends while it is down": async ({ cluster }, goOn) => {
    await cluster.service("zed-bridge").kill("SIGKILL");
    goOn();
    await cluster.service("zed-bridge").start();
  },
  "task-service": async ({ cluster }, goOn) => {
    await cluster.service("task-service").restart("SIGKILL");
    goOn();
  },
  "task-service, and the turn ends while it is down": async ({ cluster, rest, sessionId }, goOn) => {
    await cluster.service("task-service").kill("SIGKILL");
    goOn();
    await eventually("the turn has ended", async () => {
      const { body } = await rest.get(`/api/v1/work-sessions/${sessionId}/zed-thread`);
      return body["latest_turn"]["status"] === "completed";
    });
    await cluster.service("task-service").start();
  },
};

describe("a session whose process is killed in the middle of a turn", () => {
  test.each(Object.keys(victims))(
    "still ends correctly, once, and nothing is doubled in its transcript: %s",
    async (victim) => {
      await using cluster = await startCluster();
      const scene = await startTurn(cluster);
      await victims[victim]?.(scene, () => cluster.model.release("middle"));
      const { rest, sessionId } = scene;

      const task = await eventually("the task has ended", () => endedTask(rest), 60_000);
      expect(task).toMatchObject({ status: "completed" });
      const { body: session } = await rest.get(`/api/v1/work-sessions/${sessionId}`);
      expect(session).toMatchObject({ status: "completed" });
      expect(await shapeOfTranscript(rest, sessionId)).toEqual([
        "user text",
        "assistant text",
        "assistant tool_call",
        "assistant text",
      ]);
      expect(existsSync(path.join(cluster.workspaceRoot, "shop", FILE))).toBe(true);
    },
    120_000,
  );
});

async function startTurn(cluster: Cluster): Promise<Scene> {
  const rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
  const { body: task } = await rest.post("/api/v1/tasks", {
    name: `Add user profile page [demo: file ${FILE}] [demo: hold middle]`,
    task_type: "batch",
    project_path: cluster.makeRepository("shop"),
  });
  await cluster.model.reached("middle");
  const { body } = await rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
  const sessionId: string = body["work_sessions"][0]["id"];
  await eventually("the first sentence is stored", async () => (await entriesOf(rest, sessionId)).length > 1);
  return { cluster, rest, sessionId };
}

function agentOf(cluster: Cluster): number {
  const agent = survivorsOf(cluster.layout.dataFolder).find(({ command }) => command.includes("qwen"));
  if (agent === undefined) throw new Error("No agent is running.");
  return agent.pid;
}

async function endedTask(rest: RestClient): Promise<Json | undefined> {
  const { status, body } = await rest.get("/api/v1/tasks");
  const task = status === 200 ? body["tasks"][0] : undefined;
  return ["completed", "failed", "cancelled"].includes(task?.["status"]) ? task : undefined;
}

async function entriesOf(rest: RestClient, sessionId: string): Promise<Json[]> {
  const { status, body } = await rest.get(`/api/v1/work-sessions/${sessionId}/zed-thread/entries`);
  return status === 200 ? (body["entries"] ?? []) : [];
}

async function shapeOfTranscript(rest: RestClient, sessionId: string): Promise<string[]> {
  return (await entriesOf(rest, sessionId)).map(({ role, type }) => `${role} ${type}`);
}
