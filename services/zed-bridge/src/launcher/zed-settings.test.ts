import { defaultAgents } from "@helix-zed/acp-host/default-agents";
import { describe, expect, test } from "vitest";
import { type ZedSettingsFacts, zedSettings } from "./zed-settings.ts";

const agents = defaultAgents("/usr/bin/node").map((definition) => ({
  definition,
  program: definition.command.startsWith("/") ? definition.command : `/opt/bin/${definition.command}`,
}));

const facts: ZedSettingsFacts = {
  agents,
  environment: { PATH: "/usr/bin", ANTHROPIC_API_KEY: "sk-ant", OPENAI_API_KEY: "sk-openai", GEMINI_API_KEY: "g" },
  defaultModel: { provider: "anthropic", model: "claude-sonnet-4-6" },
  permissionPolicy: "allow",
  mcpServers: [],
  isRoot: false,
};

const settingsOf = (difference: Partial<ZedSettingsFacts> = {}): Record<string, unknown> =>
  zedSettings({ ...facts, ...difference });

function claudeOf(isRoot: boolean): string {
  const { agent_servers } = settingsOf({ isRoot });
  return JSON.stringify(Object.entries(Object(agent_servers)).find(([key]) => key === "claude-acp"));
}

describe("Zed's settings", () => {
  test("have every agent by absolute path, so that none is fetched from the network", () => {
    const { agent_servers } = settingsOf();
    expect(agent_servers).toMatchObject({
      qwen: { type: "custom", command: "/usr/bin/node", default_mode: "yolo" },
      "claude-acp": { type: "custom", command: "/opt/bin/claude-agent-acp", default_mode: "bypassPermissions" },
      gemini: { type: "custom", command: "/opt/bin/gemini", args: ["--acp", "--approval-mode=yolo"] },
      "codex-acp": { type: "custom", command: "/opt/bin/codex-acp", default_mode: "agent-full-access" },
      opencode: { type: "custom", command: "/opt/bin/opencode", args: ["acp"] },
    });
  });

  test("have an agent that was configured, as it was", () => {
    const goose = {
      ...defaultAgents("/usr/bin/node")[0]!,
      name: "goose",
      command: "goose",
      args: ["acp"],
      env: { GOOSE_MODE: "auto" },
      default_mode: "auto",
    };
    expect(settingsOf({ agents: [{ definition: goose, program: "/opt/bin/goose" }] })).toMatchObject({
      agent_servers: {
        goose: { command: "/opt/bin/goose", args: ["acp"], env: { GOOSE_MODE: "auto" }, default_mode: "auto" },
      },
    });
  });

  test("give claude its key, which Zed would blank, and no other agent a key", () => {
    const { agent_servers } = settingsOf();
    expect(agent_servers).toMatchObject({ "claude-acp": { env: { ANTHROPIC_API_KEY: "sk-ant" } } });
    const text = JSON.stringify(settingsOf());
    expect(text.split("sk-ant")).toHaveLength(2);
    expect(text).not.toContain("sk-openai");
  });

  test("tell claude that it is in a sandbox only where root runs it, in the one word that it takes", () => {
    expect(claudeOf(true)).toContain('"IS_SANDBOX":"1"');
    expect(claudeOf(false)).not.toContain("IS_SANDBOX");
  });

  test.each([
    ["allow", "allow", true],
    ["ask", "confirm", false],
    ["reject", "deny", false],
  ] as const)("under the policy %s let tools %s", (permissionPolicy, tools, always) => {
    const settings = settingsOf({ permissionPolicy });
    expect(settings).toMatchObject({
      agent: {
        tool_permissions: { default: tools },
        always_allow_tool_actions: always,
        sandbox_permissions: { allow_unsandboxed: always },
      },
    });
    expect(JSON.stringify(settings).includes("bypassPermissions")).toBe(always);
  });

  test("name one model for everything, or none", () => {
    const model = { provider: "anthropic", model: "claude-sonnet-4-6" };
    expect(settingsOf()).toMatchObject({ agent: { default_model: model, thread_summary_model: model } });
    expect(settingsOf({ defaultModel: null })).not.toHaveProperty("agent.default_model");
  });

  test("point to the providers that the environment names", () => {
    const environment = {
      ANTHROPIC_BASE_URL: "http://127.0.0.1:1",
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
      OPENAI_MODEL: "stub-model",
    };
    expect(settingsOf({ environment })["language_models"]).toEqual({
      anthropic: { api_url: "http://127.0.0.1:1" },
      openai: { api_url: "http://127.0.0.1:1/v1", available_models: [{ name: "stub-model", max_tokens: 200_000 }] },
    });
  });

  test("name the MCP servers", () => {
    const headers = [{ name: "Authorization", value: "Bearer x" }];
    const mcpServers = [{ name: "helix", url: "http://127.0.0.1:8082/mcp", headers }];
    expect(settingsOf({ mcpServers })["context_servers"]).toEqual({
      helix: { url: "http://127.0.0.1:8082/mcp", headers: { Authorization: "Bearer x" } },
    });
  });

  test("keep quiet whatever would ask or reformat by itself", () => {
    expect(settingsOf()).toMatchObject({
      agent: { show_onboarding: false, auto_open_panel: true },
      suggest_dev_container: false,
      format_on_save: "off",
      auto_update: false,
      telemetry: { diagnostics: false, metrics: false },
    });
  });
});
