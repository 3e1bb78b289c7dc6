import { mkdirSync } from "node:fs";
import path from "node:path";
import { type Client, waitForTurn } from "@helix-zed/client";
import { createClient } from "@helix-zed/client/node";
import { TurnStatus } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { freePort } from "@helix-zed/harness/free-port.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { ServiceUnderTest } from "@helix-zed/harness/service-under-test.ts";
import { afterEach, describe, expect, test } from "vitest";
import { serviceCommand, serviceUrl } from "../../tools/start/service-commands.ts";

/** Little more than the bridge's pause between two renewals. */
const LEASE_MS = 12_000;
const RECOVERY_MS = LEASE_MS + 5_000;
/** How long an agent may take to start and answer on a busy machine. */
const AGENT_PATIENCE_MS = 90_000;

let cluster: Cluster;
let second: ServiceUnderTest;
let rest: RestClient;
/** Asks the second bridge: the gateway of the cluster knows the first. */
let ofTheSecond: Client;

/** Two bridges of one host on one database; the second with folders of its own, and other roots if they are given. */
async function startBridges({ otherRoots = false } = {}): Promise<void> {
  cluster = await startCluster({ environment: { "task-service": { HELIX_ZED_LEASE_MS: String(LEASE_MS) } } });
  const dataFolder = path.join(cluster.layout.dataFolder, "second");
  const elsewhere = path.join(dataFolder, "elsewhere");
  mkdirSync(elsewhere, { recursive: true });
  const ports = { ...cluster.layout.ports, "zed-bridge": await freePort() };
  const workspaceRoots = otherRoots ? [elsewhere] : cluster.layout.workspaceRoots;
  const layout = { ...cluster.layout, dataFolder, ports, workspaceRoots };
  second = new ServiceUnderTest(serviceCommand("zed-bridge", layout));
  const token = cluster.token("local");
  rest = new RestClient(cluster.gatewayUrl, token);
  ofTheSecond = createClient({ baseUrl: serviceUrl("zed-bridge", layout), token });
}

afterEach(async () => {
  const problem = await second.stop();
  await cluster.stop();
  expect(problem).toBeUndefined();
});

/** A session that the first bridge has begun, and whose first turn is over. */
async function sessionOfTheFirst(): Promise<string> {
  const project_path = cluster.makeRepository("shop");
  const created = await rest.post("/api/v1/tasks", { name: "Goes on", task_type: "interactive", project_path });
  const sessions = await rest.get(`/api/v1/tasks/${created.body["id"]}/work-sessions`);
  const id: string = sessions.body["work_sessions"][0]["id"];
  const isOver = async (): Promise<boolean> => {
    const { body } = await rest.get(`/api/v1/work-sessions/${id}/zed-thread`);
    return body["latest_turn"]?.["status"] === "completed";
  };
  await eventually("the first turn is over", isOver, AGENT_PATIENCE_MS);
  return id;
}

function sessionIs(id: string, wanted: Json): Promise<Json> {
  return eventually(`the session is ${JSON.stringify(wanted)}`, async () => {
    const { body } = await rest.get(`/api/v1/work-sessions/${id}`);
    return Object.entries(wanted).every(([name, value]) => body[name] === value) && body;
  });
}

describe("a bridge that is killed", () => {
  test("has its sessions carried on by another, within a lease and 5 seconds", async () => {
    await startBridges();
    const workSessionId = await sessionOfTheFirst();
    await second.start();
    await cluster.service("zed-bridge").kill("SIGKILL");
    const killedAtMs = performance.now();
    await sessionIs(workSessionId, { status: "active", attempt: 2 });
    expect(performance.now() - killedAtMs).toBeLessThan(RECOVERY_MS);
    const { turn } = await ofTheSecond.zedThreads.sendMessage({ workSessionId, message: "And now a test" });
    const ended = await waitForTurn(ofTheSecond, { workSessionId, turnId: turn?.id ?? "" });
    expect(ended).toMatchObject({ number: 2, status: TurnStatus.COMPLETED });
    // It finds what it had started and ends it: the cluster sees to that no process is left behind.
    await cluster.service("zed-bridge").start();
  }, 240_000);

  test("keeps those that only it can carry on: another says why, and it goes on when it is back", async () => {
    await startBridges({ otherRoots: true });
    const workSessionId = await sessionOfTheFirst();
    await second.start();
    await cluster.service("zed-bridge").kill("SIGKILL");
    await eventually("the thread says why", async () => {
      const { zedThread } = await ofTheSecond.zedThreads.getZedThread({ workSessionId });
      return zedThread?.statusReason === "WORKSPACE_ELSEWHERE";
    });
    await sessionIs(workSessionId, { status: "pending" });
    await cluster.service("zed-bridge").start();
    await sessionIs(workSessionId, { status: "active", attempt: 2 });
  }, 240_000);
});
