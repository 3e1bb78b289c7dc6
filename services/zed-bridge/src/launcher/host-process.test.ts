import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemWorld } from "@helix-zed/domain";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adopt, type GatedProcess, startGated } from "./host-process.ts";
import { endProcesses } from "./instance-processes.ts";
import type { LaunchPlan } from "./launch-recipe.ts";
import { isAlive } from "./process-identity.ts";
import { processesOf } from "./testing/processes-of.ts";
import { standInArgs, type StandIn } from "./testing/stand-in.ts";

const world = systemWorld();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "zed-bridge-host-process-"));
});

afterEach(async () => {
  await endProcesses({ leader: null, folder }, { graceMs: 0, world });
  expect(processesOf(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

function plan(args: readonly string[], program = process.execPath): LaunchPlan {
  return { program, args, workingDirectory: folder, environment: { HOME: `${folder}/home`, GREETING: "hello" } };
}

const logFile = (): string => path.join(folder, "output.log");
const output = (): string => readFileSync(logFile(), "utf8");

function start(standIn: StandIn): Promise<GatedProcess> {
  return startGated(plan(standInArgs(standIn)), logFile());
}

async function startAndWaitFor(standIn: StandIn, said: string): Promise<GatedProcess> {
  const started = await start(standIn);
  started.letThrough();
  await vi.waitFor(() => expect(output()).toContain(said), { timeout: 5_000 });
  return started;
}

describe("a process at the gate", () => {
  test("does nothing until it is let through, and then is the program itself", async () => {
    const touch = `fs.writeFileSync("began", process.env.GREETING + " " + process.pid)`;
    const gated = await startGated(plan(["--eval", touch]), logFile());
    expect(existsSync(path.join(folder, "began"))).toBe(false);
    gated.letThrough();
    expect(await gated.ended).toBe("exit code 0");
    expect(readFileSync(path.join(folder, "began"), "utf8")).toBe(`hello ${gated.identity.pid}`);
  });

  test("ends without having begun when it is turned away", async () => {
    const gated = await startGated(plan(["--eval", 'fs.writeFileSync("began", "")']), logFile());
    await gated.turnAway();
    expect(existsSync(path.join(folder, "began"))).toBe(false);
    expect(await isAlive(gated.identity)).toBe(false);
  });

  test("says what is wrong with a program that cannot be run", async () => {
    const gated = await startGated(plan([], "/nowhere/zed"), logFile());
    gated.letThrough();
    expect(await gated.ended).toBe("exit code 126");
    expect(output()).toContain("cannot start /nowhere/zed");
  });

  test("cannot be started in a folder that does not exist", async () => {
    const nowhere = { ...plan([]), workingDirectory: path.join(folder, "nowhere") };
    await expect(startGated(nowhere, logFile())).rejects.toThrow("ENOENT");
  });

  test("keeps its identity on both sides of the gate", async () => {
    const gated = await startAndWaitFor("forks", "forked");
    expect(await isAlive(gated.identity)).toBe(true);
    expect(await isAlive({ ...gated.identity, startedAt: "another time" })).toBe(false);
  });

  test("tells how it ended", async () => {
    const gated = await startAndWaitFor("exits", "no licence found");
    expect(await gated.ended).toBe("exit code 3");
  });
});

describe("an adopted process", () => {
  test("is noticed when it ends", async () => {
    const gated = await startAndWaitFor("ignoresTerm", "deaf");
    const adopted = adopt(gated.identity, world);
    process.kill(gated.identity.pid, "SIGKILL");
    expect(await adopted.ended).toContain("nobody saw how");
    expect(await gated.ended).toBe("killed by SIGKILL");
  });
});

describe("ending the processes of an instance", () => {
  test("ends one that does not listen to SIGTERM", async () => {
    const { identity, ended } = await startAndWaitFor("ignoresTerm", "deaf");
    expect(await endProcesses({ leader: identity.pid, folder }, { graceMs: 100, world })).toBe(true);
    expect(await ended).toBe("killed by SIGKILL");
  });

  test("leaves one that listens to SIGTERM the time that it needs", async () => {
    const gated = await start("waits");
    gated.letThrough();
    expect(await endProcesses({ leader: gated.identity.pid, folder }, { graceMs: 10_000, world })).toBe(true);
    expect(await gated.ended).toBe("killed by SIGTERM");
  });

  test("ends what it forked, in its own group and in others, also when it is dead itself", async () => {
    const { identity, ended } = await startAndWaitFor("forks", "forked");
    expect(processesOf(folder)).toHaveLength(3);
    process.kill(identity.pid, "SIGKILL");
    await ended;
    expect(processesOf(folder)).toHaveLength(2);
    expect(await endProcesses({ leader: null, folder }, { graceMs: 100, world })).toBe(true);
    expect(processesOf(folder)).toEqual([]);
  });
});
