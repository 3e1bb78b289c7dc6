import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { agentDefinition } from "./agent-definition.ts";
import { agentEnvironment, prepareHome } from "./agent-environment.ts";
import { defaultAgents } from "./default-agents.ts";
import { makeHostFolders } from "./testing/host-process.ts";

const folders = makeHostFolders();
afterAll(() => folders.remove());

const host = {
  PATH: "/bin",
  HOME: "/root",
  IS_SANDBOX: "yes",
  ZED_HELIX_TOKEN: "secret",
  OPENAI_API_KEY: "key",
  ANTHROPIC_API_KEY: "other",
  MINE_A: "a",
  MINE: "no",
};

describe("the environment of an agent", () => {
  test("has where programs are, what the agent names, and nothing else of the host's", () => {
    const agent = agentDefinition.parse({
      name: "a",
      command: "a",
      env_names: ["MINE_*", "ABSENT"],
      env: { FIXED: "1" },
    });
    expect(agentEnvironment(agent, host, "/data")).toEqual({
      PATH: "/bin",
      HOME: "/data/home",
      TMPDIR: "/data/tmp",
      NODE_COMPILE_CACHE: "/data/compile-cache",
      MINE_A: "a",
      FIXED: "1",
    });
  });

  test("never has the host's token or IS_SANDBOX, whatever agent it is", () => {
    for (const agent of defaultAgents("/node")) {
      const names = Object.keys(agentEnvironment(agent, host, "/data"));
      expect(names).not.toContain("ZED_HELIX_TOKEN");
      expect(names).not.toContain("IS_SANDBOX");
    }
  });
});

describe("the home of an agent", () => {
  test("is private, and keeps the files that are there", () => {
    const agent = agentDefinition.parse({ name: "a", command: "a", home_files: { ".a/one": "1", ".a/two": "2" } });
    prepareHome(agent, folders.dataDir);
    const file = join(folders.dataDir, "home", ".a", "one");
    writeFileSync(file, "changed");
    prepareHome(agent, folders.dataDir);
    expect(readFileSync(file, "utf8")).toBe("changed");
    expect(statSync(join(folders.dataDir, "home")).mode & 0o777).toBe(0o700);
  });

  test("is never left by a file", () => {
    for (const path of ["/etc/passwd", "../out", ".a/../../out"]) {
      expect(agentDefinition.safeParse({ name: "a", command: "a", home_files: { [path]: "" } }).success).toBe(false);
    }
  });
});
