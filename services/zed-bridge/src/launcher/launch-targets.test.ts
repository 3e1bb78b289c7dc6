// What every launch target promises, whatever it starts. The two that need a Zed are given a stand-in, which takes arguments,
// environment, settings and folders as a real one does and does not start where a real one would not.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueZedInstanceToken } from "../application/issue-zed-instance-token.ts";
import { revokeZedInstanceToken } from "../application/revoke-zed-instance-token.ts";
import { stopZedInstance } from "../application/stop-zed-instance.ts";
import type { Limits } from "../domain/limits.ts";
import type { LaunchTarget } from "../domain/zed-instance.ts";
import { type BridgeApp, type ClaimedSession, openBridgeApp } from "../testing/bridge-app.ts";
import { ann, threadOf, turnsOf } from "../testing/read-thread.ts";
import { instanceFolder, makeInstanceFolder } from "./instance-folder.ts";
import type { LaunchRecipe } from "./launch-recipe.ts";
import { LaunchBench } from "./testing/launch-bench.ts";
import { hostRecipe, standInZedRecipe } from "./testing/launch-recipes.ts";

let bridge: BridgeApp;
let bench: LaunchBench;
let session: ClaimedSession;
let outside: Outsider | null = null;
/** What was said in the session so far. */
let spoken: string[];

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

async function end(): Promise<void> {
  await outside?.kill();
  outside = null;
  await bench.close();
}

/** Somebody else, who starts an editor where the bridge does not. */
class Outsider {
  readonly #recipe: LaunchRecipe;
  readonly #token: string;
  #child: ChildProcess | null = null;

  constructor(token: string) {
    this.#recipe = standInZedRecipe(bench.folder);
    this.#token = token;
  }

  async start({ instanceId }: ClaimedSession): Promise<void> {
    const folder = instanceFolder(path.join(bench.folder, "elsewhere"), instanceId);
    await makeInstanceFolder(folder);
    const { address: bridgeAddress, project: workingDirectory } = bench;
    const facts = { instanceId, token: this.#token, workingDirectory, folder, bridgeAddress, mcpServers: [] };
    const { program, args, environment } = await this.#recipe.plan(facts);
    this.#child = spawn(program, args, { cwd: workingDirectory, env: { ...environment }, stdio: "inherit" });
    await once(this.#child, "spawn");
  }

  async kill(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.kill("SIGKILL")) await once(this.#child, "exit");
  }
}

const recipes: Readonly<Record<Exclude<LaunchTarget, "external">, (folder: string) => LaunchRecipe>> = {
  "acp-host": hostRecipe,
  "zed-headless": (folder) => standInZedRecipe(folder),
  zed: (folder) => standInZedRecipe(folder, "zed"),
};

/** A session whose first turn is over. */
async function begin(target: LaunchTarget, limits: Partial<Limits> = {}): Promise<void> {
  bench = await LaunchBench.open(bridge, {
    target,
    limits,
    recipes: (folder) => (target === "external" ? [] : [recipes[target](folder)]),
  });
  session = await bench.claim();
  if (target === "external") await startOutside();
  spoken = ["user: Say hello", "assistant: heard Say hello"];
  await bench.transcript(session, ...spoken);
}

async function startOutside(): Promise<void> {
  await outside?.kill();
  const { token } = await issueZedInstanceToken(bench.app, ann, { id: session.instanceId });
  outside = new Outsider(token);
  await outside.start(session);
}

/** Says more, and waits for the answer, in the thread that there was. */
async function exchange(message: string): Promise<void> {
  await bench.say(session, message);
  await answered(message);
}

async function answered(message: string): Promise<void> {
  spoken.push(`user: ${message}`, `assistant: heard ${message}`);
  await bench.transcript(session, ...spoken);
  const turns = spoken.filter((each) => each.startsWith("user: ")).map(() => "completed");
  await eventually("all turns are completed", async () => {
    return String(await turnsOf(bench.app, session.workSessionId)) === String(turns);
  });
}

async function killProcess(): Promise<void> {
  if (outside !== null) return outside.kill();
  const { pid } = await bench.instance(session);
  if (pid === null) throw new Error("there is no process to kill");
  process.kill(pid, "SIGKILL");
}

async function threadName(): Promise<string | null> {
  return (await threadOf(bench.app, session.workSessionId)).mapping.zedThreadId;
}

const all = ["acp-host", "zed-headless", "zed", "external"] as const;

// One session for each target: whatever is done to its process, the next test finds a thread in which it can go on.
describe.each(all)("an editor that is launched as %s", { timeout: 120_000 }, (target) => {
  const isOurs = target !== "external";

  beforeAll(() => begin(target), 120_000);
  afterAll(end);

  // Of a process that somebody else has started there is nothing here to look at.
  if (isOurs) {
    test("has its token in its environment, and nobody finds it anywhere else", async () => {
      const { pid, lastLogLines, statusReason } = await bench.instance(session);
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      const token = environment.find((each) => each.startsWith("ZED_HELIX_TOKEN="))?.slice("ZED_HELIX_TOKEN=".length);
      expect(token).toMatch(/^[\w-]{43}$/);
      const places = [
        readFileSync(`/proc/${pid}/cmdline`, "latin1"),
        JSON.stringify([lastLogLines, statusReason]),
        // What a stand-in reports is its environment, for the test.
        ...filesBelow(instanceFolder(bench.dataDirectory, session.instanceId).root)
          .filter((file) => !file.endsWith("/report.json"))
          .map((file) => readFileSync(file, "latin1")),
      ];
      expect(places.filter((place) => place.includes(token ?? "?"))).toEqual([]);
    });

    test("sees of the bridge's environment what is allowed, and lives in a group of its own", async () => {
      const { pid } = await bench.instance(session);
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      const names = environment.map((each) => each.split("=")[0] ?? "");
      const allowed =
        /^(PATH|HOME|TMPDIR|HELIX_SESSION_ID|ANTHROPIC_API_KEY|XDG_(CONFIG|DATA)_HOME|(ZED|ACP_HOST)_\w+|)$/;
      expect(names.filter((name) => !allowed.test(name))).toEqual([]);
      const group = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[2];
      expect(Number(group)).toBe(pid);
    });
  }

  test("carries out turns, and is shown for what it is", async () => {
    await exchange("More");
    const instance = await bench.instance(session);
    expect(instance).toMatchObject({ launchTarget: target, status: "running", connected: true, restartCount: 0 });
    expect(instance.pid === null).toBe(!isOurs);
  });

  test("goes on in the same thread and in the same folder after its process has died", async () => {
    const name = await threadName();
    const { root } = instanceFolder(bench.dataDirectory, session.instanceId);
    const made = isOurs ? filesBelow(root).filter((file) => !file.includes("/tmp/")) : [];
    if (isOurs) expect(statSync(root).mode & 0o777).toBe(0o700);
    await killProcess();
    await bench.instanceWhere(session, "its end", ({ connected }) => !connected);
    await outside?.start(session);
    await exchange("After a death");
    expect(await threadName()).toBe(name);
    if (isOurs) expect(filesBelow(root)).toEqual(expect.arrayContaining(made));
  });

  test("is stopped on request, and brought back by a message in the same thread", async () => {
    const name = await threadName();
    const { restartCount } = await bench.instance(session);
    await stopZedInstance(bench.app, ann, { id: session.instanceId });
    const stopped = await bench.instanceWhere(session, "stopped", ({ status }) => status === "stopped");
    expect(stopped).toMatchObject({ connected: false, pid: null, statusReason: "STOPPED_ON_REQUEST" });
    if (isOurs) expect(bench.processes()).toEqual([]);
    await exchange("After a stop");
    expect(await threadName()).toBe(name);
    expect(await bench.instance(session)).toMatchObject({ restartCount, status: "running" });
  });

  test("gets nowhere any more with a token that was revoked", async () => {
    const { launchCount, restartCount } = await bench.instance(session);
    await revokeZedInstanceToken(bench.app, ann, { id: session.instanceId });
    await bench.say(session, "After a revocation");
    if (!isOurs) {
      const revoked = await bench.instance(session);
      expect(revoked).toMatchObject({ connected: false, status: "starting", statusReason: "TOKEN_REVOKED" });
      await startOutside();
    }
    await answered("After a revocation");
    const after = await bench.instance(session);
    expect(after).toMatchObject({ launchCount: launchCount + 1, restartCount, connected: true });
  });
});

describe("an editor without a window that has had nothing to do for long", { timeout: 120_000 }, () => {
  afterAll(end);

  test("ends, and is brought back by a message in the same thread", async () => {
    await begin("zed-headless", { idleStopMs: 1_000 });
    const name = await threadName();
    const stopped = await bench.instanceWhere(session, "stopped", ({ status }) => status === "stopped");
    expect(stopped).toMatchObject({ statusReason: "IDLE", pid: null, restartCount: 0 });
    expect(bench.processes()).toEqual([]);
    await exchange("After a rest");
    expect(await threadName()).toBe(name);
  });
});

describe("an editor that somebody else starts", () => {
  afterAll(end);

  test("is waited for, and nothing is started in its place", async () => {
    bench = await LaunchBench.open(bridge, { target: "external", recipes: () => [] });
    session = await bench.claim();
    const { token } = await issueZedInstanceToken(bench.app, ann, { id: session.instanceId });
    expect(await bench.instance(session)).toMatchObject({ status: "starting", statusReason: "WAITING_FOR_EDITOR" });
    expect(bench.processes()).toEqual([]);
    outside = new Outsider(token);
    await outside.start(session);
    await bench.instanceWhere(session, "connected", ({ connected }) => connected);
    expect(await bench.instance(session)).toMatchObject({ status: "running", statusReason: "", pid: null });
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .toSorted();
}
