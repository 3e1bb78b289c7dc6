import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type InstanceFolder, instanceFolder, makeInstanceFolder } from "./instance-folder.ts";
import type { LaunchPlan } from "./launch-recipe.ts";
import { zedOptions } from "./testing/launch-recipes.ts";
import { makeProgram } from "./testing/make-program.ts";
import { makeStandInZed } from "./testing/make-stand-in-zed.ts";
import { processesOf } from "./testing/processes-of.ts";
import { ZedBinary } from "./zed-binary.ts";
import { type ZedOptions, zedRecipe } from "./zed-recipe.ts";

let root: string;
let folder: InstanceFolder;
let binary: string;
const token = "t".repeat(43);

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "zed-bridge-zed-recipe-"));
  folder = instanceFolder(root, "zed_1");
  binary = makeStandInZed(root);
  await makeInstanceFolder(folder);
});

afterEach(() => {
  expect(processesOf(root)).toEqual([]);
  rmSync(root, { recursive: true });
});

function plan(target: "zed" | "zed-headless", more: Partial<ZedOptions> = {}): Promise<LaunchPlan> {
  const facts = { instanceId: "zed_1", token, workingDirectory: root, bridgeAddress: "127.0.0.1:8082" };
  return zedRecipe(target, { ...zedOptions(binary), ...more }).plan({ ...facts, folder, mcpServers: [] });
}

const settingsFile = (): string => path.join(folder.data, "config/settings.json");

/** A program that says this of itself. */
function program(source: string): string {
  const file = path.join(root, "program");
  makeProgram(file, source);
  return file;
}

describe("a Zed", () => {
  test("without a window is started with these arguments, and no others", async () => {
    const { program: started, args, workingDirectory } = await plan("zed-headless");
    expect(started).toBe(binary);
    expect(args).toEqual(["--headless", "--user-data-dir", folder.data, "--allow-multiple-instances", root]);
    expect(workingDirectory).toBe(root);
  });

  test("with a window is started without --headless, and may emulate a GPU", async () => {
    const { args, environment } = await plan("zed");
    expect(args).toEqual(["--user-data-dir", folder.data, "--allow-multiple-instances", root]);
    expect(environment).toMatchObject({ ZED_ALLOW_EMULATED_GPU: "1" });
  });

  test("is told by its environment who it is and where we are, in words that it takes", async () => {
    const { environment } = await plan("zed-headless", { isRoot: true });
    expect(environment).toMatchObject({
      HELIX_SESSION_ID: "zed_1",
      ZED_EXTERNAL_SYNC_ENABLED: "true",
      ZED_WEBSOCKET_SYNC_ENABLED: "true",
      ZED_HELIX_URL: "127.0.0.1:8082",
      ZED_HELIX_TOKEN: token,
      ZED_HELIX_TLS: "false",
      ZED_WORK_DIR: root,
      ZED_ALLOW_ROOT: "true",
      HOME: folder.home,
      XDG_CONFIG_HOME: path.join(folder.home, ".config"),
    });
    expect(await plan("zed-headless", { isRoot: false })).not.toHaveProperty("environment.ZED_ALLOW_ROOT");
  });

  test("finds its settings whole, for itself alone, and without the token", async () => {
    await plan("zed-headless");
    const text = readFileSync(settingsFile(), "utf8");
    expect(JSON.parse(text)).toHaveProperty(["agent_servers", "qwen", "type"], "custom");
    expect(text).not.toContain(token);
    expect(statSync(settingsFile()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${settingsFile()}.new`)).toBe(false);
    expect(readFileSync(path.join(folder.home, ".config/zed/settings.json"), "utf8")).toBe(text);
  });

  test("finds new settings at each start, in the same folders", async () => {
    await plan("zed-headless");
    writeFileSync(settingsFile(), "{}");
    await plan("zed-headless");
    expect(readFileSync(settingsFile(), "utf8")).toContain("agent_servers");
  });

  test("has no agent in its settings that is not installed", async () => {
    const { PATH: _, ...environment } = zedOptions(binary).environment as Record<string, string>;
    await plan("zed-headless", { environment });
    const { agent_servers } = JSON.parse(readFileSync(settingsFile(), "utf8"));
    expect(Object.keys(agent_servers)).toEqual(["qwen"]);
  });
});

describe("a binary that cannot be driven is refused with the reason:", () => {
  test.each([
    ["one that is not there", () => path.join(root, "nowhere"), /^there is no Zed at .*nowhere$/],
    ["a stock Zed", () => makeStandInZed(root, "stock"), "does not know --headless, --allow-multiple-instances"],
    ["the command line tool", () => makeStandInZed(root, "command-line-tool"), "is Zed's command line tool"],
    ["one that fails", () => program("process.exit(7)"), "does not say what it can do (exit code 7)"],
  ] as const)("%s", async (_what, file, reason) => {
    await expect(plan("zed-headless", { binary: file() })).rejects.toThrow(reason);
  });

  test("one that may not be run", async () => {
    chmodSync(binary, 0o644);
    await expect(plan("zed-headless")).rejects.toThrow("EACCES");
  });

  test("one that does not answer, and nothing of it is left", async () => {
    const sleeper = `["--eval", "setInterval(() => {}, 60000)"], { stdio: "inherit" }`;
    const file = program(
      `import { spawn } from "node:child_process"; spawn(process.execPath, ${sleeper}); setInterval(() => {}, 60000);`,
    );
    const environment = { PATH: process.env["PATH"] ?? "", HOME: folder.home };
    const asked = new ZedBinary(file).check({ environment, timeoutMs: 1_000 });
    await expect(asked).rejects.toThrow("killed by SIGKILL");
  });
});

test("a binary is asked once for each state of its file", async () => {
  const count = path.join(root, "count");
  const file = program(
    `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(count)}, "x");
    console.log("--headless --allow-multiple-instances --user-data-dir");`,
  );
  const zed = new ZedBinary(file);
  const environment = { PATH: process.env["PATH"] ?? "" };
  await zed.check({ environment });
  await zed.check({ environment });
  expect(readFileSync(count, "utf8")).toBe("x");
  utimesSync(file, 1, 1);
  await zed.check({ environment });
  expect(readFileSync(count, "utf8")).toBe("xx");
});
