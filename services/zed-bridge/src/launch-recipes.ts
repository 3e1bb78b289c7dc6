import { type Environment, passedEnvironment } from "@helix-zed/acp-host/passed-environment";
import type { Read } from "@helix-zed/server";
import type { settings } from "./config.ts";
import { acpHostRecipe } from "./launcher/acp-host-recipe.ts";
import type { LaunchRecipe } from "./launcher/launch-recipe.ts";
import { zedRecipe } from "./launcher/zed-recipe.ts";

type Config = Pick<
  Read<typeof settings>,
  "agents" | "defaultModel" | "orphanTimeoutMs" | "permissionPolicy" | "permissionTimeoutMs" | "zedBinary"
>;

/** What of the bridge's surroundings processes depend on. */
export interface Surroundings {
  readonly environment: Environment;
  readonly isRoot: boolean;
}

/** What a window needs of the desktop that it opens on. */
const DESKTOP = [
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  "XDG_RUNTIME_DIR",
  "XDG_SESSION_TYPE",
  "DBUS_SESSION_BUS_ADDRESS",
];

/** How each launch target is started, also those that new instances are not: there may be older ones. */
export function launchRecipes(config: Config, { environment, isRoot }: Surroundings): LaunchRecipe[] {
  const { agents, defaultModel, orphanTimeoutMs, permissionPolicy, permissionTimeoutMs, zedBinary } = config;
  const passed = passedEnvironment(environment, agents.environmentNames);
  const { definitions, defaultAgent } = agents;
  const common = { agents: definitions, defaultAgent, environment: passed };
  const host = acpHostRecipe({ ...common, orphanTimeoutMs, permissionTimeoutMs });
  if (zedBinary === null) return [host];
  const zed = {
    binary: zedBinary,
    agents: agents.all,
    environment: passed,
    defaultModel,
    // Nobody sits before an editor without a window, so agents that ask would wait for ever.
    permissionPolicy: permissionPolicy ?? "allow",
    isRoot,
  };
  const windowed = { ...zed, environment: passedEnvironment(environment, [...agents.environmentNames, ...DESKTOP]) };
  return [host, zedRecipe("zed-headless", zed), zedRecipe("zed", windowed)];
}
