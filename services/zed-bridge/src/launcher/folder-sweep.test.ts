import { existsSync, mkdirSync } from "node:fs";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closeThread } from "../application/close-thread.ts";
import { type BridgeApp, type ClaimedSession, openBridgeApp } from "../testing/bridge-app.ts";
import { instanceFolder } from "./instance-folder.ts";
import { LaunchBench } from "./testing/launch-bench.ts";
import { standInRecipe } from "./testing/stand-in-recipe.ts";

const RETENTION_MS = 3_000;

let bridge: BridgeApp;
let bench: LaunchBench;
let session: ClaimedSession;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

/** An instance that runs and has left something of its own running in a group of its own. */
beforeEach(async () => {
  bench = await LaunchBench.open(bridge, {
    target: "acp-host",
    recipes: () => [standInRecipe("forks")],
    limits: { releaseDelayMs: 0 },
    supervisorLimits: { sweepMs: 50, retentionMs: RETENTION_MS },
  });
  session = await bench.claim();
  await eventually("it runs", () => bench.processes().length === 3);
});

afterEach(() => bench.close());

const folder = (): string => instanceFolder(bench.dataDirectory, session.instanceId).root;

function end(reason: "completed" | "deleted"): Promise<void> {
  return closeThread(bench.app, { workSessionId: session.workSessionId, reason });
}

describe("the folder of an instance", { timeout: 120_000 }, () => {
  test("is removed with its task, after everything that runs in it has ended", async () => {
    await end("deleted");
    await eventually("it is removed", () => !existsSync(folder()));
    expect(bench.processes()).toEqual([]);
    await eventually("callers do not see the instance any more", async () => {
      return (await bench.instance(session).catch((error: unknown) => error)) instanceof Error;
    });
  });

  test("is kept for its time after the last thread has ended, and then removed", async () => {
    const endedAt = performance.now();
    await end("completed");
    await bench.instanceWhere(session, "stopped", ({ status }) => status === "stopped");
    expect(existsSync(folder())).toBe(true);
    await eventually("it is removed", () => !existsSync(folder()));
    expect(performance.now() - endedAt).toBeGreaterThanOrEqual(RETENTION_MS);
    expect(await bench.instance(session)).toMatchObject({ status: "stopped", statusReason: "NO_THREADS" });
  });

  test("is left alone where the database knows nothing of its instance", async () => {
    const unknown = instanceFolder(bench.dataDirectory, `zed_${"0".repeat(32)}`).root;
    mkdirSync(unknown, { recursive: true });
    await end("deleted");
    await eventually("the other is removed", () => !existsSync(folder()));
    expect(existsSync(unknown)).toBe(true);
  });
});
