import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readEnvironment } from "@helix-zed/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settings } from "./config.ts";

let folder: string;
let environment: Record<string, string>;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "zed-bridge-config-")));
  const token = path.join(folder, "token");
  const tokens = path.join(folder, "tokens.json");
  writeFileSync(token, "secret\n", { mode: 0o600 });
  writeFileSync(tokens, '{"tokens":[]}', { mode: 0o600 });
  environment = {
    DATABASE_URL: "postgresql://localhost/zed_bridge",
    HELIX_ZED_TASK_URL: "http://127.0.0.1:8081",
    HELIX_ZED_SERVICE_TOKEN_FILE: token,
    HELIX_ZED_TOKENS_FILE: tokens,
    HELIX_ZED_DATA_DIR: path.join(folder, "data"),
  };
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (more: Record<string, string> = {}) => readEnvironment({ ...environment, ...more }, settings);

describe("the settings of the bridge", () => {
  test("need no more than a database, a task-service, two files and a folder", () => {
    const config = read();
    expect(config).toMatchObject({
      port: 8082,
      launcher: "acp-host",
      roots: [],
      serviceToken: "secret",
      runnerName: null,
    });
    expect([...config.agents.byType.keys()]).toContain("zed_agent");
    expect(statSync(path.join(folder, "data")).mode & 0o777).toBe(0o700);
  });

  test("take workspace roots by their real paths", () => {
    expect(read({ ZED_WORKSPACE_ROOTS: `${folder}/./data/..:/tmp` }).roots).toEqual([folder, realpathSync("/tmp")]);
  });

  test.each<[string, Record<string, string>, string]>([
    ["a root that does not exist", { ZED_WORKSPACE_ROOTS: "/nowhere" }, "ZED_WORKSPACE_ROOTS names /nowhere"],
    ["a relative data folder", { HELIX_ZED_DATA_DIR: "data" }, "HELIX_ZED_DATA_DIR"],
    [
      "an agents file that is missing",
      { HELIX_ZED_AGENTS_FILE: "/nowhere.json" },
      "HELIX_ZED_AGENTS_FILE names a file",
    ],
    ["an unknown launcher", { ZED_LAUNCHER: "vim" }, "ZED_LAUNCHER must be one of acp-host"],
    ["a runner name with a space", { HELIX_ZED_RUNNER_NAME: "a b" }, "HELIX_ZED_RUNNER_NAME"],
    ["a misspelt name", { HELIX_ZED_AGENT_FILE: "x" }, "did you mean HELIX_ZED_AGENTS_FILE?"],
  ])("say what is wrong with %s", (_what, more, message) => {
    expect(() => read(more)).toThrow(message);
  });

  test("say everything that is wrong at once", () => {
    chmodSync(path.join(folder, "token"), 0o644);
    const problems = /ZED_LAUNCHER .*HELIX_ZED_SERVICE_TOKEN_FILE|HELIX_ZED_SERVICE_TOKEN_FILE .*ZED_LAUNCHER/;
    expect(() => read({ ZED_LAUNCHER: "vim" })).toThrow(problems);
  });
});
