import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemWorld } from "@helix-zed/domain";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { holdDataFolder, runnerNameIn } from "./data-folder.ts";
import { identify } from "./launcher/process-identity.ts";

let folder: string;
let other: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "zed-bridge-data-"));
  other = spawn(process.execPath, ["--eval", "setInterval(() => {}, 60_000)"]);
  await once(other, "spawn");
});

afterEach(async () => {
  if (other.exitCode === null && other.kill("SIGKILL")) await once(other, "exit");
  rmSync(folder, { recursive: true });
});

async function heldByOther(): Promise<void> {
  const identity = await identify(other.pid ?? 0);
  writeFileSync(path.join(folder, "bridge.pid"), `${identity?.pid} ${identity?.startedAt}\n`);
}

describe("the data folder of a bridge", () => {
  test("is refused to a second bridge while the first lives", async () => {
    await heldByOther();
    await expect(holdDataFolder(folder)).rejects.toThrow(`process ${other.pid}`);
  });

  test("is free again after its bridge was killed", async () => {
    await heldByOther();
    other.kill("SIGKILL");
    await once(other, "exit");
    const held = await holdDataFolder(folder);
    await held.release();
  });

  test("gives the bridge one name, and keeps it", async () => {
    const name = await runnerNameIn(folder, systemWorld());
    expect(name).toMatch(/bridge_[0-9a-f]{32}$/);
    expect(await runnerNameIn(folder, systemWorld())).toBe(name);
  });
});
