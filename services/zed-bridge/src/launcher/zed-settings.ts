// Zed's settings.json
//
// Written whole before the editor starts, and anew for each start: what a person changes in it lasts until then. It tells
// Zed four things:
//
//   agent_servers     the agents that it may start, each by absolute path. `custom`, never `registry`: those are fetched
//                     from the network at the start, and one that is not there is missing without a word.
//   agent             may tools run, with which model; nothing that waits for a person
//   context_servers   MCP servers
//   noise             what would ask, download or reformat by itself
//
// The token of the link is not in it. Provider keys are in the environment, but for claude: Zed blanks ANTHROPIC_API_KEY
// for it, and only a value in its own `env` gets through. So the file is for nobody but this account.
import type { AgentDefinition } from "@helix-zed/acp-host/default-agents";
import { passedEnvironment } from "@helix-zed/acp-host/passed-environment";
import type { McpServer, PermissionPolicy } from "@helix-zed/sync-protocol";

/** A model by its provider's name and its own. */
export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

/** An agent that is installed here. */
export interface InstalledAgent {
  readonly definition: AgentDefinition;
  /** An absolute path. */
  readonly program: string;
}

/** What the settings of one editor are made of. */
export interface ZedSettingsFacts {
  readonly agents: readonly InstalledAgent[];
  /** The environment that the editor gets. */
  readonly environment: Readonly<Record<string, string>>;
  /** What Zed's own agent uses; `null`: Zed chooses. */
  readonly defaultModel: ModelName | null;
  readonly permissionPolicy: PermissionPolicy;
  readonly mcpServers: readonly McpServer[];
  /** Whether the editor runs as root: claude lets root skip its questions only in what it is told is a sandbox. */
  readonly isRoot: boolean;
}

const CONTEXT_SERVER_TIMEOUT_S = 180;
const OPENAI_TOKENS_MAX = 200_000;

/** The agents that Zed knows by another name than the one on the wire. */
const namesInZed: Readonly<Record<string, string>> = { claude: "claude-acp", codex: "codex-acp" };

/** How an agent is told not to ask. Those that are not here do not, or say it in their definition. */
const withoutQuestions: Readonly<Record<string, { readonly mode?: string; readonly args?: readonly string[] }>> = {
  claude: { mode: "bypassPermissions" },
  codex: { mode: "agent-full-access" },
  gemini: { args: ["--approval-mode=yolo"] },
  qwen: { mode: "yolo" },
};

const toolDefaults: Readonly<Record<PermissionPolicy, string>> = { allow: "allow", ask: "confirm", reject: "deny" };

/** What Zed finds as its settings. */
export function zedSettings(facts: ZedSettingsFacts): Record<string, unknown> {
  const { agents, environment, mcpServers } = facts;
  return {
    agent: agentSettings(facts),
    agent_servers: Object.fromEntries(agents.map((agent) => [nameInZed(agent), agentServer(agent, facts)])),
    context_servers: Object.fromEntries(mcpServers.map((server) => [server.name, contextServer(server)])),
    context_server_timeout: CONTEXT_SERVER_TIMEOUT_S,
    language_models: languageModels(environment),
    ...quiet,
  };
}

const quiet = {
  auto_update: false,
  format_on_save: "off",
  suggest_dev_container: false,
  telemetry: { diagnostics: false, metrics: false },
  text_rendering_mode: "grayscale",
};

function agentSettings({ defaultModel, permissionPolicy }: ZedSettingsFacts): Record<string, unknown> {
  const isAllowed = permissionPolicy === "allow";
  return {
    enabled: true,
    ...(defaultModel === null ? {} : everyModel(defaultModel)),
    tool_permissions: { default: toolDefaults[permissionPolicy] },
    // What older versions know instead.
    always_allow_tool_actions: isAllowed,
    sandbox_permissions: { allow_unsandboxed: isAllowed },
    show_onboarding: false,
    // With a window, the link waits for the panel.
    auto_open_panel: true,
  };
}

/** Also for what Zed does beside: it would ask its maker's models otherwise. */
function everyModel(model: ModelName): Record<string, ModelName> {
  return {
    default_model: model,
    inline_assistant_model: model,
    commit_message_model: model,
    thread_summary_model: model,
  };
}

function contextServer({ url, headers }: McpServer): Record<string, unknown> {
  return { url, headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])) };
}

function nameInZed({ definition: { name } }: InstalledAgent): string {
  return namesInZed[name] ?? name;
}

function agentServer({ definition, program }: InstalledAgent, facts: ZedSettingsFacts): Record<string, unknown> {
  const silent = facts.permissionPolicy === "allow" ? withoutQuestions[definition.name] : undefined;
  const mode = silent?.mode ?? definition.default_mode;
  return {
    type: "custom",
    command: program,
    args: [...definition.args, ...(silent?.args ?? [])],
    env: { ...blankedByZed(definition, facts), ...definition.env },
    ...(mode === undefined ? {} : { default_mode: mode }),
  };
}

function blankedByZed(definition: AgentDefinition, { environment, isRoot }: ZedSettingsFacts): Record<string, string> {
  if (definition.name !== "claude") return {};
  const own = passedEnvironment(environment, definition.env_names);
  const keys = Object.entries(own).filter(([name]) => name.startsWith("ANTHROPIC_") || name.startsWith("CLAUDE_"));
  // It takes no other word for it than this one.
  return { ...Object.fromEntries(keys), ...(isRoot ? { IS_SANDBOX: "1" } : {}) };
}

function languageModels(environment: Readonly<Record<string, string>>): Record<string, unknown> {
  const { ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL, OPENAI_BASE_URL, OPENAI_MODEL } = environment;
  const models =
    OPENAI_MODEL === undefined ? {} : { available_models: [{ name: OPENAI_MODEL, max_tokens: OPENAI_TOKENS_MAX }] };
  return {
    ...(ANTHROPIC_BASE_URL === undefined ? {} : { anthropic: { api_url: ANTHROPIC_BASE_URL } }),
    ...(GOOGLE_GEMINI_BASE_URL === undefined ? {} : { google: { api_url: GOOGLE_GEMINI_BASE_URL } }),
    ...(OPENAI_BASE_URL === undefined ? {} : { openai: { api_url: OPENAI_BASE_URL, ...models } }),
  };
}
