import path from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentDefinition } from "@helix-zed/acp-host/default-agents";
import { editorEnvironment } from "./editor-environment.ts";
import type { LaunchFacts, LaunchPlan, LaunchRecipe } from "./launch-recipe.ts";
import { writeWhole } from "./write-whole.ts";

/** What all acp-hosts of a bridge have in common. */
export interface AcpHostOptions {
  /** Agents beside those that the host knows by itself. */
  readonly agents: readonly AgentDefinition[];
  /** The agent that `zed-agent` means. */
  readonly defaultAgent: string;
  /** What is passed on of the bridge's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** How long a host goes on without a link before it ends by itself. */
  readonly orphanTimeoutMs: number;
  /** How long the bridge lets a request for permission wait before it answers it itself. */
  readonly permissionTimeoutMs: number;
}

/** Time for an `open_thread` to come before the host says that it is ready. */
const READY_AFTER_MS = 200;

/** A host rejects by itself what nobody has answered, for a bridge that is gone; one that lives comes first. */
const PERMISSION_GRACE_MS = 60_000;

const hostFile = fileURLToPath(import.meta.resolve("@helix-zed/acp-host/main"));

/** Starts this repository's acp-host: Zed's side of the protocol in front of an ACP agent, where no Zed is installed. */
export function acpHostRecipe(options: AcpHostOptions): LaunchRecipe {
  return {
    target: "acp-host",
    async plan(facts) {
      const agentsFile = path.join(facts.folder.root, "agents.json");
      // Definitions may hold keys.
      await writeWhole(agentsFile, JSON.stringify({ agents: options.agents }));
      return planOf(facts, agentsFile, options);
    },
  };
}

function planOf(facts: LaunchFacts, agentsFile: string, options: AcpHostOptions): LaunchPlan {
  const { folder, workingDirectory } = facts;
  return {
    program: process.execPath,
    args: [hostFile],
    workingDirectory,
    environment: {
      ...editorEnvironment(facts, options.environment),
      ACP_HOST_AGENTS: agentsFile,
      ACP_HOST_DATA_DIR: folder.data,
      ACP_HOST_DEFAULT_AGENT: options.defaultAgent,
      ACP_HOST_ORPHAN_TIMEOUT_MS: String(options.orphanTimeoutMs),
      ACP_HOST_PERMISSION_TIMEOUT_MS: String(options.permissionTimeoutMs + PERMISSION_GRACE_MS),
      // Zed takes 5 s, in which a panel may load that a host has not.
      ACP_HOST_READY_AFTER_MS: String(READY_AFTER_MS),
    },
  };
}
