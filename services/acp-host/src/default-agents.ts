import { fileURLToPath } from "node:url";
import { agentDefinition, type AgentDefinition } from "./agent-definition.ts";

export { agentDefinition, agentsFile, type AgentDefinition } from "./agent-definition.ts";

// The agents that are known without any configuration.
//
// qwen is a dependency of this package and is always there. The others run if
// their command is on PATH. All are left in a mode in which they ask before they
// change something, so that the host's permission policy decides, not the agent.
//
// File system capabilities are not offered to any of them (gemini cannot create
// a new file through them, and host and agent share the disk anyway).

/** The built-in agents; `nodePath` is the Node that runs those which are scripts of ours. */
export function defaultAgents(nodePath: string): AgentDefinition[] {
  return [qwen(nodePath), claude, gemini, codex, opencode];
}

function qwen(nodePath: string): AgentDefinition {
  return agentDefinition.parse({
    name: "qwen",
    command: nodePath,
    args: [fileURLToPath(import.meta.resolve("@qwen-code/qwen-code")), "--acp"],
    // Without this it starts itself a second time, which costs a second and leaves a child to kill.
    env: { QWEN_CODE_NO_RELAUNCH: "true" },
    env_names: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DASHSCOPE_API_KEY"],
    home_files: {
      ".qwen/settings.json": json({
        privacy: { usageStatisticsEnabled: false },
        general: { enableAutoUpdate: false },
        security: { auth: { selectedType: "openai" } },
      }),
    },
  });
}

const claude = agentDefinition.parse({
  name: "claude",
  aliases: ["claude-acp"],
  command: "claude-agent-acp",
  env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  env_names: ["ANTHROPIC_*", "CLAUDE_CODE_OAUTH_TOKEN"],
  // Newer versions begin in a mode of their own that prints a warning for other base URLs.
  default_mode: "default",
});

const gemini = agentDefinition.parse({
  name: "gemini",
  command: "gemini",
  args: ["--acp"],
  // Without the second, approval modes are silently ignored in a folder it does not know.
  env: { GEMINI_CLI_NO_RELAUNCH: "true", GEMINI_CLI_TRUST_WORKSPACE: "true" },
  env_names: ["GEMINI_*", "GOOGLE_*"],
  load_in_later_minute: true,
});

const codex = agentDefinition.parse({
  name: "codex",
  aliases: ["codex-acp"],
  command: "codex-acp",
  env_names: ["CODEX_API_KEY", "OPENAI_*"],
});

const opencode = agentDefinition.parse({
  name: "opencode",
  command: "opencode",
  args: ["acp"],
  env: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
  env_names: ["ANTHROPIC_*", "OPENAI_*", "GEMINI_*", "GOOGLE_*"],
  // The server that a session brings takes the place of an older session's of the same name.
  shares_mcp_servers: true,
});

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
