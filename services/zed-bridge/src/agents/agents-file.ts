// agents.json
//
//   {
//     "agents": [{ "name": "goose", "command": "goose", "args": ["acp"], "env_names": ["GOOSE_*", "OPENAI_API_KEY"] }],
//     "agent_types": { "zed_goose": "goose" },
//     "default_agent": "qwen"
//   }
//
// Adds agents to the built-in ones, or replaces those of the same name, and says which agent type of work sessions is
// carried out by which agent. Every agent type that has an agent is served. `default_agent` is the one that the editor's
// own agent (`zed-agent`) stands for where the editor is an acp-host.
import { readFileSync } from "node:fs";
import { agentDefinition, type AgentDefinition, defaultAgents } from "@helix-zed/acp-host/default-agents";
import { z } from "zod";
import type { Agent, Agents } from "../domain/agents.ts";

/** The agents that a bridge drives. */
export interface ConfiguredAgents {
  /** By the agent type of work sessions. */
  readonly byType: Agents;
  /** Those that are not built in. */
  readonly definitions: readonly AgentDefinition[];
  /** All of them. */
  readonly all: readonly AgentDefinition[];
  readonly defaultAgent: string;
  /** Names of the variables that any of them needs; a trailing `*` stands for any ending. */
  readonly environmentNames: readonly string[];
}

const EDITORS_OWN_AGENT = "zed-agent";

const builtInTypes = {
  zed_agent: EDITORS_OWN_AGENT,
  zed_claude_code: "claude",
  zed_gemini_cli: "gemini",
  zed_qwen_code: "qwen",
  zed_codex_cli: "codex",
  zed_opencode: "opencode",
};

const agentsFile = z.strictObject({
  agents: z.array(agentDefinition).default([]),
  agent_types: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), z.string()).default({}),
  default_agent: z.string().default("qwen"),
});

type AgentsFile = z.output<typeof agentsFile>;

/** The agents without any configuration. */
export function builtInAgents(nodePath: string): ConfiguredAgents {
  return configure(agentsFile.parse({}), nodePath);
}

/** Reads agents.json; throws an error that says everything that is wrong with it. */
export function readAgentsFile(file: string, nodePath: string): ConfiguredAgents {
  const read = agentsFile.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!read.success) throw new Error(read.error.issues.map(describe).join("; "));
  return configure(read.data, nodePath);
}

function configure({ agents, agent_types, default_agent }: AgentsFile, nodePath: string): ConfiguredAgents {
  const added = new Set(agents.map(({ name }) => name));
  const known = [...defaultAgents(nodePath).filter(({ name }) => !added.has(name)), ...agents];
  const types = Object.entries({ ...builtInTypes, ...agent_types });
  const names = [default_agent, ...types.map(([, name]) => name).filter((name) => name !== EDITORS_OWN_AGENT)];
  const unknown = names.filter((name) => !known.some((agent) => agent.name === name || agent.aliases.includes(name)));
  if (unknown.length > 0) throw new Error(`no agent is called ${unknown.join(" or ")}`);
  return {
    byType: new Map(types.map(([type, wireName]): [string, Agent] => [type, { wireName }])),
    definitions: agents,
    all: known,
    defaultAgent: default_agent,
    environmentNames: Array.from(new Set(known.flatMap(({ env_names }) => env_names))),
  };
}

function describe({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
