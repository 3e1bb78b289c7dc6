import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Actor } from "@helix-zed/domain";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stopZedInstance } from "../application/stop-zed-instance.ts";
import { getZedInstance } from "../application/zed-instances.ts";
import { defaultLimits, type Limits } from "../domain/limits.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import { type BridgeApp, claimSession, openBridgeApp, runner } from "../testing/bridge-app.ts";
import { silentLog } from "../testing/serve-links.ts";
import { instanceFolder } from "./instance-folder.ts";
import type { LaunchFacts, LaunchRecipe } from "./launch-recipe.ts";
import { logBytesMax } from "./output-log.ts";
import { Supervisor } from "./supervisor.ts";
import { processesOf } from "./testing/processes-of.ts";
import type { StandIn } from "./testing/stand-in.ts";
import { standInRecipe } from "./testing/stand-in-recipe.ts";

const ann: Actor = { kind: "user", userId: "ann" };

let bridge: BridgeApp;
let folder: string;
let running: Supervisor[];

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "zed-bridge-supervisor-"));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((supervisor) => supervisor.stop()));
  expect(processesOf(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

interface Supervision {
  readonly limits?: Partial<Limits>;
  readonly recipe?: LaunchRecipe;
}

function supervise(standIn: StandIn, { limits = {}, recipe = standInRecipe(standIn) }: Supervision = {}): Supervisor {
  const supervisor = new Supervisor({
    app: { ...bridge.app, limits: { ...defaultLimits, restartDelayMs: 1, restartDelayMsMax: 5, ...limits } },
    runner: `${runner}-${path.basename(folder)}`,
    recipes: [recipe],
    dataDirectory: folder,
    bridgeAddress: "127.0.0.1:1",
    linkSettled: async () => {},
    log: silentLog,
    limits: { pollMs: 100, stopGraceMs: 300, leftoverGraceMs: 100, logPollMs: 20 },
  });
  running.push(supervisor);
  supervisor.start();
  return supervisor;
}

/** A new instance that is wanted; each test's supervisor has a name of its own, so that it sees no others. */
async function wantInstance(): Promise<string> {
  const options = { projectPath: folder, runner: `${runner}-${path.basename(folder)}` };
  return (await claimSession(bridge.app, options)).instanceId;
}

function killHard(pid: number | null): void {
  // Without a pid the signal would go to our own group.
  if (pid === null) throw new Error("there is no process to kill");
  process.kill(pid, "SIGKILL");
}

const read = (id: string): Promise<ZedInstance> => getZedInstance(bridge.app, ann, { id });

function instanceWhere(id: string, wanted: string, holds: (instance: ZedInstance) => boolean): Promise<ZedInstance> {
  return eventually(wanted, async () => {
    const instance = await read(id);
    return holds(instance) && instance;
  });
}

const launched = (id: string): Promise<ZedInstance> => instanceWhere(id, "a process", ({ pid }) => pid !== null);

describe("the supervisor starts", () => {
  test("what is wanted, with folders and a token of its own", async () => {
    const seen: LaunchFacts[] = [];
    const id = await wantInstance();
    supervise("waits", { recipe: standInRecipe("waits", seen) });
    const { pid, launchCount } = await launched(id);
    await eventually("the program", () => processesOf(folder).length === 1);
    expect(processesOf(folder)).toEqual([pid]);
    expect(launchCount).toBe(1);
    expect(seen).toMatchObject([{ instanceId: id, workingDirectory: folder, bridgeAddress: "127.0.0.1:1" }]);
    expect(seen[0]?.token).toMatch(/^[\w-]{43}$/);
    expect(statSync(instanceFolder(folder, id).root).mode & 0o777).toBe(0o700);
  });

  test("what is wanted later, without waiting to look", async () => {
    supervise("waits");
    const id = await wantInstance();
    await launched(id);
  });

  test("again what ended by itself, until it has ended too often; then it says why", async () => {
    supervise("exits", { limits: { restartsMax: 2 } });
    const id = await wantInstance();
    const failed = await instanceWhere(id, "failed", ({ status }) => status === "failed");
    expect(failed).toMatchObject({ launchCount: 3, pid: null, statusReason: "exit code 3" });
    expect(failed.lastLogLines).toContain("no licence found");
  });

  test("again what was killed from outside", async () => {
    supervise("waits");
    const id = await wantInstance();
    const { pid } = await launched(id);
    killHard(pid);
    await instanceWhere(id, "a second launch", ({ launchCount, pid: now }) => launchCount === 2 && now !== null);
  });

  test("again what does not connect", async () => {
    supervise("ignoresTerm", { limits: { connectTimeoutMs: 1_000, restartDelayMs: 500, restartDelayMsMax: 500 } });
    const id = await wantInstance();
    const { statusReason } = await instanceWhere(id, "a restart", ({ restartCount }) => restartCount === 1);
    expect(statusReason).toBe("killed by SIGKILL: it was not connected for too long");
    await instanceWhere(id, "a second launch", ({ launchCount, pid }) => launchCount === 2 && pid !== null);
  });

  test("nothing that cannot be started, and says why", async () => {
    const missing: LaunchRecipe = {
      target: "acp-host",
      plan: async () => {
        throw new Error("the Zed binary /opt/zed is missing");
      },
    };
    supervise("waits", { limits: { restartsMax: 1 }, recipe: missing });
    const id = await wantInstance();
    const failed = await instanceWhere(id, "failed", ({ status }) => status === "failed");
    expect(failed.statusReason).toBe("cannot be started: the Zed binary /opt/zed is missing");
  });
});

describe("the supervisor ends", () => {
  test.each<StandIn>(["waits", "ignoresTerm", "forks"])("what is not wanted any more: one that %s", async (standIn) => {
    supervise(standIn);
    const id = await wantInstance();
    await launched(id);
    await eventually("the program", () => processesOf(folder).length === (standIn === "forks" ? 3 : 1));
    await stopZedInstance(bridge.app, ann, { id });
    await instanceWhere(id, "stopped", ({ status, pid }) => status === "stopped" && pid === null);
    expect(processesOf(folder)).toEqual([]);
  });

  test("what a process left running before it starts it again", async () => {
    supervise("forks");
    const id = await wantInstance();
    const { pid } = await launched(id);
    await eventually("what it forks", () => processesOf(folder).length === 3);
    const forked = processesOf(folder).filter((each) => each !== pid);
    killHard(pid);
    await instanceWhere(id, "a second launch", ({ launchCount, pid: now }) => launchCount === 2 && now !== null);
    expect(processesOf(folder)).not.toEqual(expect.arrayContaining(forked));
  });

  test("everything when it is stopped", async () => {
    const supervisor = supervise("forks");
    const ids = [await wantInstance(), await wantInstance()];
    for (const id of ids) await launched(id);
    await supervisor.stop();
    expect(processesOf(folder)).toEqual([]);
    for (const id of ids) expect(await read(id)).toMatchObject({ pid: null, desired: "running" });
  });
});

describe("the output of a process", () => {
  test("that floods fills neither the disk nor the bridge, and does not block it", async () => {
    supervise("floods");
    const id = await wantInstance();
    await launched(id);
    const done = await instanceWhere(id, "its last line", ({ lastLogLines }) => lastLogLines.includes("the end"));
    expect(done.lastLogLines.join("\n").length).toBeLessThanOrEqual(64 * 1024);
    await eventually("a trimmed log", () => statSync(instanceFolder(folder, id).logFile).size <= logBytesMax);
  });
});

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("a process whose supervisor was killed", () => {
  const script = fileURLToPath(new URL("testing/supervise.ts", import.meta.url));

  async function superviseElsewhere(standIn: StandIn): Promise<ChildProcess> {
    const name = `${runner}-${path.basename(folder)}`;
    const args = [script, bridge.databaseUrl, folder, standIn, name];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    return child;
  }

  test("lives on, is adopted by the next, and is ended by it when it is not wanted any more", async () => {
    const id = await wantInstance();
    const first = await superviseElsewhere("ignoresTerm");
    const { pid } = await launched(id);
    await eventually("the program", () => processesOf(folder).length === 1);
    await kill(first);
    supervise("waits");
    await stopZedInstance(bridge.app, ann, { id });
    const stopped = await instanceWhere(id, "stopped", ({ status, pid: now }) => status === "stopped" && now === null);
    expect(stopped.launchCount).toBe(1);
    expect(processesOf(folder)).not.toContain(pid);
  });

  test("is started again by the next if it has ended meanwhile, and what it left is ended", async () => {
    const id = await wantInstance();
    const first = await superviseElsewhere("forks");
    const { pid } = await launched(id);
    await eventually("what it forks", () => processesOf(folder).length === 3);
    await kill(first);
    killHard(pid);
    supervise("waits");
    await instanceWhere(id, "a second launch", ({ launchCount, pid: now }) => launchCount === 2 && now !== null);
    await eventually("the second alone", () => processesOf(folder).length === 1);
  });
});
