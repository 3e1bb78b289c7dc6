// Nine ways in which an editor's process can go wrong, each on a real process. Whatever it does: the work is done all the
// same where that is possible, the instance says why where it is not, and nothing is left running.
import { statSync } from "node:fs";
import path from "node:path";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { closeThread } from "../application/close-thread.ts";
import { stopZedInstance } from "../application/stop-zed-instance.ts";
import type { Limits } from "../domain/limits.ts";
import { type BridgeApp, type ClaimedSession, openBridgeApp } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { instanceFolder } from "./instance-folder.ts";
import { LaunchBench } from "./testing/launch-bench.ts";
import { standInZedRecipe, zedOptions } from "./testing/launch-recipes.ts";
import type { ZedFault } from "./testing/stand-in-zed.ts";
import { zedRecipe } from "./zed-recipe.ts";

const MEBIBYTE = 2 ** 20;

let bridge: BridgeApp;
let bench: LaunchBench;
let session: ClaimedSession;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

// It fails where a process is left behind.
afterEach(() => bench.close());

async function begin(fault: ZedFault, limits: Partial<Limits> = {}): Promise<void> {
  bench = await LaunchBench.open(bridge, {
    target: "zed-headless",
    recipes: (folder) => [standInZedRecipe(folder, "zed-headless", fault)],
    limits,
    linkLimits: { pingIntervalMs: 200, silenceMaxMs: 2_000 },
  });
  session = await bench.claim();
}

const onceAnswered = ["user: Say hello", "assistant: heard Say hello"];
const answered = (): Promise<void> => bench.transcript(session, ...onceAnswered);

async function failed() {
  const instance = await bench.instanceWhere(session, "failed", ({ status }) => status === "failed");
  expect(instance).toMatchObject({ pid: null, connected: false });
  const { mapping } = await threadOf(bench.app, session.workSessionId);
  expect(mapping).toMatchObject({ status: "failed", outcome: "failed", outcomeReason: "EDITOR_FAILED" });
  await eventually("nothing runs", () => bench.processes().length === 0);
  return { instance, mapping };
}

/** Whatever it does when it is told to end, it is gone, with all that it has started. */
async function stop(): Promise<void> {
  await stopZedInstance(bench.app, ann, { id: session.instanceId });
  await bench.instanceWhere(session, "stopped", ({ status, pid }) => status === "stopped" && pid === null);
  expect(bench.processes()).toEqual([]);
}

describe("a process that", { timeout: 120_000 }, () => {
  test("is not there is tried five times in ten minutes more, and then it is said what is missing", async () => {
    bench = await LaunchBench.open(bridge, {
      target: "zed-headless",
      recipes: (folder) => [zedRecipe("zed-headless", zedOptions(path.join(folder, "no-zed")))],
    });
    session = await bench.claim();
    const { instance } = await failed();
    expect(instance.statusReason).toBe(`cannot be started: there is no Zed at ${path.join(bench.folder, "no-zed")}`);
    expect(instance.launchCount).toBe(6);
  });

  test("exits at once has failed when its budget is used up, and its last words are shown without its token", async () => {
    await begin("exits", { restartsMax: 2 });
    const { instance, mapping } = await failed();
    expect(instance).toMatchObject({ launchCount: 3, restartCount: 2, statusReason: "exit code 3" });
    expect(instance.lastLogLines.at(-1)).toBe("no licence found for [redacted]");
    expect(mapping.outcomeError).toContain("The editor ended too often: exit code 3.\n");
    expect(mapping.outcomeError).toContain("no licence found for [redacted]");
    expect(mapping.outcomeError).not.toMatch(/for [\w-]{43}/);
  });

  test("crashes in the middle of a turn is started again, and the turn is carried out", async () => {
    await begin("crashes");
    await answered();
    expect(await bench.instance(session)).toMatchObject({ launchCount: 2, restartCount: 1, status: "running" });
    await stop();
  });

  test("hangs is ended and started again, and the turn is carried out", async () => {
    await begin("hangs", { connectTimeoutMs: 6_000 });
    await answered();
    expect(await bench.instance(session)).toMatchObject({ launchCount: 2, restartCount: 1, status: "running" });
    await stop();
  });

  test("never connects is ended and tried again, until it is said that it never did", async () => {
    await begin("never-connects", { connectTimeoutMs: 300, restartsMax: 2 });
    const { instance } = await failed();
    expect(instance).toMatchObject({ launchCount: 3 });
    expect(instance.statusReason).toMatch(/^killed by SIG(TERM|KILL): it was not connected for too long$/);
  });

  test("connects twice has one link, and its turn is carried out once", async () => {
    await begin("connects-twice");
    await answered();
    // One for the launch, one for its connection, one for the other connection that replaced it, one to replace that.
    await bench.instanceWhere(session, "one link", ({ linkEpoch, connected }) => linkEpoch >= 4 && connected);
    await bench.say(session, "More");
    await bench.transcript(session, ...onceAnswered, "user: More", "assistant: heard More");
    await eventually("both turns are completed", async () => {
      return String(await turnsOf(bench.app, session.workSessionId)) === "completed,completed";
    });
    expect(await bench.instance(session)).toMatchObject({ launchCount: 1, restartCount: 0 });
    await stop();
  });

  test("floods its output costs little memory and disk, is not held up, and its end is shown", async () => {
    await begin("floods");
    const before = process.memoryUsage.rss();
    const { logFile } = instanceFolder(bench.dataDirectory, session.instanceId);
    const { lastLogLines } = await bench.instanceWhere(session, "its end is shown", (instance) =>
      instance.lastLogLines.includes("the end"),
    );
    expect(lastLogLines.length).toBeLessThanOrEqual(100);
    await answered();
    await eventually("the log is short again", () => statSync(logFile).size <= MEBIBYTE);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MEBIBYTE);
    await stop();
  });

  test("forks is ended with what it forked, also what left its group and is deaf", async () => {
    await begin("forks");
    await answered();
    expect(bench.processes()).toHaveLength(3);
    await stop();
  });

  test("ignores SIGTERM is killed when its time is over", async () => {
    await begin("ignores-term");
    await answered();
    await stop();
    expect(await bench.instance(session)).toMatchObject({ statusReason: "STOPPED_ON_REQUEST", restartCount: 0 });
  });
});

test("nothing is left of a process whose last thread has ended", async () => {
  await begin("forks", { releaseDelayMs: 100 });
  await answered();
  await closeThread(bench.app, { workSessionId: session.workSessionId, reason: "completed" });
  await bench.instanceWhere(session, "stopped", ({ status }) => status === "stopped");
  expect(bench.processes()).toEqual([]);
});
