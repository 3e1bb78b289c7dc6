import { fileURLToPath } from "node:url";
import { agentDefinition, defaultAgents } from "@helix-zed/acp-host/default-agents";
import { acpHostRecipe } from "../acp-host-recipe.ts";
import type { LaunchRecipe } from "../launch-recipe.ts";
import { type ZedOptions, zedRecipe } from "../zed-recipe.ts";
import { makeStandInZed } from "./make-stand-in-zed.ts";
import type { ZedFault } from "./stand-in-zed.ts";

const scriptedAgent = fileURLToPath(new URL("../../../../acp-host/src/testing/scripted-agent.ts", import.meta.url));

/** What processes see of this one's environment. */
export const environment = { PATH: process.env["PATH"] ?? "", ANTHROPIC_API_KEY: "sk-ant-test-key-of-nobody" };

/** This repository's host, with an agent that answers "heard …". */
export function hostRecipe(): LaunchRecipe {
  const scripted = agentDefinition.parse({ name: "scripted", command: process.execPath, args: [scriptedAgent] });
  return acpHostRecipe({
    agents: [scripted],
    defaultAgent: "scripted",
    environment,
    orphanTimeoutMs: 60_000,
    permissionTimeoutMs: 60_000,
  });
}

/** What all stand-ins have in common. */
export function zedOptions(binary: string): ZedOptions {
  return {
    binary,
    agents: defaultAgents(process.execPath),
    environment,
    defaultModel: { provider: "anthropic", model: "claude-sonnet-4-6" },
    permissionPolicy: "allow",
    isRoot: process.getuid?.() === 0,
  };
}

/** A Zed that is none, and answers "heard …". */
export function standInZedRecipe(
  folder: string,
  target: "zed" | "zed-headless" = "zed-headless",
  fault: ZedFault = "none",
): LaunchRecipe {
  return zedRecipe(target, zedOptions(makeStandInZed(folder, fault)));
}
