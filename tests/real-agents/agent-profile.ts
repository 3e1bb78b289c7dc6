import type { Json } from "@helix-zed/harness/rest-client.ts";

/** What a test has to know of an agent beyond its name. */
export interface AgentProfile {
  /** As `agents.json` and the wire have it. */
  readonly name: string;
  /** Where npm has it, at exactly this version; nothing for the one that the acp-host depends on. */
  readonly installed?: { readonly name: string; readonly version: string };
  /** What its definition has to say in place of the built-in one, if that needs more than the environment. */
  readonly definition?: (modelUrl: string) => Json;
  /** What a session has to say for the agent to ask before it writes a file; nothing if it does by itself. */
  readonly askingConfig?: Json;
  /** What a prompt has to say for the agent to ask, beside that. */
  readonly askingDirective?: string;
  /** A mode of this agent that is not its usual one. */
  readonly mode: string;
  /** How a refusal of the model (HTTP 400) reaches people: as an error of the turn, or in the agent's own words. */
  readonly modelError: "failed" | "said";
  /** Whether it works without the tools of the bridge, because its sessions would share them. */
  readonly withoutTools?: true;
  /** How long one step may take. Agents that load slowly share two cores with the rest. */
  readonly patienceMs: number;
}

/** Asks by itself. */
export const qwen: AgentProfile = {
  name: "qwen",
  mode: "plan",
  modelError: "failed",
  patienceMs: 90_000,
};

/** Those that are installed when they are asked for. */
export const furtherAgents: readonly AgentProfile[] = [
  {
    name: "claude",
    installed: { name: "@agentclientprotocol/claude-agent-acp", version: "0.101.0" },
    mode: "plan",
    modelError: "failed",
    patienceMs: 60_000,
  },
  {
    name: "gemini",
    installed: { name: "@google/gemini-cli", version: "0.61.0" },
    mode: "autoEdit",
    modelError: "failed",
    // A session of gemini's is not loaded in the minute in which it was created.
    patienceMs: 120_000,
  },
  {
    name: "codex",
    installed: { name: "@agentclientprotocol/codex-acp", version: "2.6.0" },
    definition: (modelUrl) => ({
      name: "codex",
      command: "codex-acp",
      env: { STUB_KEY: "demo", CODEX_API_KEY: "demo" },
      home_files: {
        ".codex/config.toml": [
          'model = "demo-model"',
          'model_provider = "demo"',
          "[model_providers.demo]",
          'name = "demo"',
          `base_url = "${modelUrl}/v1"`,
          'wire_api = "responses"',
          'env_key = "STUB_KEY"',
          "",
        ].join("\n"),
      },
    }),
    // It asks when its model wants to leave the sandbox, which forbids to write.
    askingConfig: { mode: "read-only" },
    askingDirective: "[demo: escalate]",
    mode: "read-only",
    modelError: "said",
    patienceMs: 60_000,
  },
  {
    name: "opencode",
    installed: { name: "opencode-ai", version: "1.18.33" },
    definition: (modelUrl) => ({
      name: "opencode",
      command: "opencode",
      args: ["acp"],
      env: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
      shares_mcp_servers: true,
      home_files: {
        ".config/opencode/opencode.json": JSON.stringify({
          autoupdate: false,
          enabled_providers: ["demo"],
          model: "demo/demo-model",
          permission: { edit: "ask", bash: "ask" },
          provider: {
            demo: {
              npm: "@ai-sdk/openai-compatible",
              options: { baseURL: `${modelUrl}/v1`, apiKey: "demo" },
              models: { "demo-model": {} },
            },
          },
        }),
      },
    }),
    mode: "plan",
    modelError: "failed",
    withoutTools: true,
    // It starts in seconds on a quiet machine and in half a minute on a busy one.
    patienceMs: 180_000,
  },
];
