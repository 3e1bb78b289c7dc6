import type { McpServer } from "@helix-zed/sync-protocol";
import type { LaunchTarget } from "../domain/zed-instance.ts";
import type { InstanceFolder } from "./instance-folder.ts";

/** What is known about a launch. */
export interface LaunchFacts {
  /** What the process presents as its session id when it connects. */
  readonly instanceId: string;
  /** What it presents to prove that: good for this instance only. Goes into its environment and nowhere else. */
  readonly token: string;
  /** Where it works, an absolute path. */
  readonly workingDirectory: string;
  /** Its private folders, made already. */
  readonly folder: InstanceFolder;
  /** Where it finds us: `host:port`. */
  readonly bridgeAddress: string;
  /** For editors that are told by their settings, not thread by thread. */
  readonly mcpServers: readonly McpServer[];
}

/** A program to run: never through a shell, and with this environment and no other. */
export interface LaunchPlan {
  /** An absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** How a launch target is started; `external` has no recipe, because somebody else starts it. */
export interface LaunchRecipe {
  readonly target: LaunchTarget;
  /** Writes what the program finds in its folder, and says how to run it. Throws with a reason for people if it cannot. */
  plan(facts: LaunchFacts): Promise<LaunchPlan>;
}
