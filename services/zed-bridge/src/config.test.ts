import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readEnvironment } from "@helix-zed/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { launchTargetOf, settings } from "./config.ts";

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

const targetOf = (more: Record<string, string>) => launchTargetOf(read(more));

describe("the settings of the bridge", () => {
  test("need no more than a database, a task-service, two files and a folder", () => {
    const config = read();
    expect(config).toMatchObject({
      port: 8082,
      launcher: null,
      roots: [],
      serviceToken: "secret",
      runnerName: null,
    });
    expect([...config.agents.byType.keys()]).toContain("zed_agent");
    expect(statSync(path.join(folder, "data")).mode & 0o777).toBe(0o700);
  });

  test("start editors as was said, else with the Zed that is there, else without one", () => {
    expect(targetOf({})).toBe("acp-host");
    expect(targetOf({ ZED_BINARY: "/opt/zed/libexec/zed-editor" })).toBe("zed-headless");
    expect(targetOf({ ZED_BINARY: "/opt/zed/libexec/zed-editor", ZED_LAUNCHER: "external" })).toBe("external");
    expect(() => targetOf({ ZED_LAUNCHER: "zed" })).toThrow("ZED_BINARY must be set where ZED_LAUNCHER is zed");
  });

  test("name a model with its provider", () => {
    const { defaultModel } = read({ ZED_DEFAULT_MODEL: "openai/org/model-1" });
    expect(defaultModel).toEqual({ provider: "openai", model: "org/model-1" });
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
    ["a Zed that is named by a relative path", { ZED_BINARY: "zed" }, "ZED_BINARY must be an absolute path"],
    ["a model without a provider", { ZED_DEFAULT_MODEL: "gpt" }, "ZED_DEFAULT_MODEL must be a provider and a model"],
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
