import type { Json } from "@helix-zed/harness/rest-client.ts";

/** What a test has to know of an agent beyond its name. */
export interface AgentProfile {
  /** As `agents.json` and the wire have it. */
  readonly name: string;
  /** Folders that are searched for its command before all others. */
  readonly commandFolders: readonly string[];
  /** What its definition has to say in place of the built-in one, if that needs more than the environment. */
  readonly definition?: (modelUrl: string) => Json;
  /** What a session has to say for the agent to ask before it writes a file; nothing if it does by itself. */
  readonly askingConfig?: Json;
  /** A mode of this agent that is not its usual one. */
  readonly mode: string;
  /** How a refusal of the model (HTTP 400) reaches people: as an error of the turn, or in the agent's own words. */
  readonly modelError: "failed" | "said";
  /** How long one step may take. Agents that load slowly share two cores with the rest. */
  readonly patienceMs: number;
}

/** qwen is a dependency of the acp-host and asks by itself. */
export const qwen: AgentProfile = {
  name: "qwen",
  commandFolders: [],
  mode: "plan",
  modelError: "failed",
  patienceMs: 30_000,
};
