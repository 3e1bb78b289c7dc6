import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { prepareHome } from "@helix-zed/acp-host/agent-environment";
import type { AgentDefinition } from "@helix-zed/acp-host/default-agents";
import { findProgram } from "@helix-zed/acp-host/find-program";
import type { PermissionPolicy } from "@helix-zed/sync-protocol";
import { editorEnvironment } from "./editor-environment.ts";
import type { InstanceFolder } from "./instance-folder.ts";
import type { LaunchFacts, LaunchPlan, LaunchRecipe } from "./launch-recipe.ts";
import { writeWhole } from "./write-whole.ts";
import { ZedBinary } from "./zed-binary.ts";
import { type InstalledAgent, type ModelName, zedSettings } from "./zed-settings.ts";

/** What all Zeds of a bridge have in common. */
export interface ZedOptions {
  /** The editor itself, an absolute path. */
  readonly binary: string;
  /** All agents that it may start; those that are not installed are left out. */
  readonly agents: readonly AgentDefinition[];
  /** What is passed on of the bridge's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly defaultModel: ModelName | null;
  readonly permissionPolicy: PermissionPolicy;
  readonly isRoot: boolean;
}

/** Starts a Zed: with a window, or without one. */
export function zedRecipe(target: "zed" | "zed-headless", options: ZedOptions): LaunchRecipe {
  const binary = new ZedBinary(options.binary);
  return {
    target,
    async plan(facts) {
      const plan = planOf(target, facts, options);
      await prepareFolder(facts, plan.environment, options);
      await binary.check({ environment: withoutToken(plan.environment) });
      return plan;
    },
  };
}

function planOf(target: "zed" | "zed-headless", facts: LaunchFacts, options: ZedOptions): LaunchPlan {
  const { folder, workingDirectory } = facts;
  const isHeadless = target === "zed-headless";
  return {
    program: options.binary,
    args: [
      ...(isHeadless ? ["--headless"] : []),
      "--user-data-dir",
      folder.data,
      "--allow-multiple-instances",
      workingDirectory,
    ],
    workingDirectory,
    environment: {
      ...editorEnvironment(facts, options.environment),
      XDG_CONFIG_HOME: path.join(folder.home, ".config"),
      XDG_DATA_HOME: path.join(folder.home, ".local/share"),
      ...(isHeadless ? {} : { ZED_ALLOW_EMULATED_GPU: "1" }),
      ...(options.isRoot ? { ZED_ALLOW_ROOT: "true" } : {}),
    },
  };
}

/** Everything that Zed reads is there, whole, before it starts. */
async function prepareFolder(
  { folder, mcpServers }: LaunchFacts,
  environment: Readonly<Record<string, string>>,
  options: ZedOptions,
): Promise<void> {
  const agents = options.agents.flatMap((definition): InstalledAgent[] => {
    const program = findProgram(definition.command, environment["PATH"] ?? "");
    return program === undefined ? [] : [{ definition, program }];
  });
  for (const { definition } of agents) prepareHome(definition, folder.root);
  const settings = zedSettings({ ...options, agents, environment, mcpServers });
  await writeWhole(path.join(folder.data, "config/settings.json"), `${JSON.stringify(settings, null, 2)}\n`);
  await shareConfig(folder);
}

/** A Zed with its own data folder has its configuration in there; whoever looks in the usual place finds the same. */
async function shareConfig({ home, data }: InstanceFolder): Promise<void> {
  const config = path.join(home, ".config");
  await mkdir(config, { recursive: true, mode: 0o700 });
  await symlink(path.join(data, "config"), path.join(config, "zed")).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
}

function withoutToken(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name !== "ZED_HELIX_TOKEN"));
}
