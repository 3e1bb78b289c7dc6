import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { makeHostFolders } from "./testing/host-process.ts";

const folders = makeHostFolders();
afterAll(() => folders.remove());

const enough = {
  HELIX_SESSION_ID: "zed 1",
  ZED_HELIX_TOKEN: "t",
  ZED_WORK_DIR: folders.workDir,
  ZED_EXTERNAL_SYNC_ENABLED: "true",
  ACP_HOST_DATA_DIR: folders.dataDir,
};

describe("the configuration", () => {
  test("needs five variables and fills in the rest", () => {
    expect(readConfig(enough)).toMatchObject({
      config: {
        url: "ws://localhost:8080/api/v1/external-agents/sync?session_id=zed%201",
        defaultAgent: "qwen",
        orphanTimeoutMs: 600_000,
        readyAfterMs: 5_000,
        skipTlsVerify: false,
        agents: [],
      },
    });
  });

  test("takes booleans as Zed does: only `true` is true", () => {
    const config = (value: string) => readConfig({ ...enough, ZED_HELIX_TLS: value, ZED_HELIX_URL: "h:1" });
    expect(config("true")).toMatchObject({ config: { url: expect.stringMatching(/^wss:\/\/h:1\//) } });
    expect(config("1")).toMatchObject({ config: { url: expect.stringMatching(/^ws:\/\/h:1\//) } });
    expect(readConfig({ ...enough, ZED_EXTERNAL_SYNC_ENABLED: "1" })).toMatchObject({
      problems: [expect.stringContaining("ZED_EXTERNAL_SYNC_ENABLED is not `true`")],
    });
  });

  test("names every problem at once", () => {
    const read = readConfig({ ACP_HOST_TYPO: "1", ACP_HOST_READY_AFTER_MS: "soon", ZED_WORK_DIR: "relative" });
    expect(read).toEqual({
      problems: expect.arrayContaining([
        "ACP_HOST_TYPO is not a setting of this program",
        "ACP_HOST_DATA_DIR is not set",
        "ACP_HOST_READY_AFTER_MS is not a number of milliseconds",
        "HELIX_SESSION_ID is not set",
        "ZED_WORK_DIR is not an absolute path",
      ]),
    });
  });

  test("reads agents from a file, with defaults for what it leaves out", () => {
    const file = join(folders.dataDir, "agents.json");
    writeFileSync(file, JSON.stringify({ agents: [{ name: "mine", command: "mine" }] }));
    expect(readConfig({ ...enough, ACP_HOST_AGENTS: file })).toMatchObject({
      config: { agents: [{ name: "mine", args: [], env: {}, env_names: [], auto_approve: true }] },
    });
    writeFileSync(file, JSON.stringify({ agents: [{ name: "mine", comand: "mine" }] }));
    expect(readConfig({ ...enough, ACP_HOST_AGENTS: file })).toMatchObject({
      problems: [expect.stringMatching(/ACP_HOST_AGENTS names .*agents.json, which cannot be used.*comand/s)],
    });
    expect(readConfig({ ...enough, ACP_HOST_AGENTS: "/nowhere" })).toMatchObject({
      problems: [expect.stringContaining("ENOENT")],
    });
  });
});
