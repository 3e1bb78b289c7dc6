import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtInAgents, readAgentsFile } from "./agents-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "zed-bridge-agents-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function read(content: unknown): ReturnType<typeof readAgentsFile> {
  const file = path.join(folder, "agents.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return readAgentsFile(file, process.execPath);
}

describe("the agents of a bridge", () => {
  test("serve the agent types of Zed without any configuration", () => {
    const { byType, definitions, environmentNames } = builtInAgents(process.execPath);
    expect(Object.fromEntries(Array.from(byType, ([type, { wireName }]) => [type, wireName]))).toEqual({
      zed_agent: "zed-agent",
      zed_claude_code: "claude",
      zed_gemini_cli: "gemini",
      zed_qwen_code: "qwen",
      zed_codex_cli: "codex",
      zed_opencode: "opencode",
    });
    expect(definitions).toEqual([]);
    expect(environmentNames).toContain("ANTHROPIC_*");
  });

  test("can be added to, each with an agent type of its own", () => {
    const goose = { name: "goose", command: "goose", args: ["acp"], env_names: ["GOOSE_*"] };
    const { byType, definitions, environmentNames } = read({ agents: [goose], agent_types: { zed_goose: "goose" } });
    expect(byType.get("zed_goose")).toEqual({ wireName: "goose" });
    expect(definitions).toMatchObject([goose]);
    expect(environmentNames).toContain("GOOSE_*");
  });

  test.each([
    ["an agent type without an agent", { agent_types: { zed_x: "nobody" } }, "no agent is called nobody"],
    ["a default agent that is none", { default_agent: "nobody" }, "no agent is called nobody"],
    ["a misspelt key", { agent: [] }, "agent"],
    ["an agent without a command", { agents: [{ name: "x" }] }, "agents.0.command"],
    ["no JSON", "{", "JSON"],
  ])("are refused with the reason: %s", (_what, content, message) => {
    expect(() => read(content)).toThrow(message);
  });
});
