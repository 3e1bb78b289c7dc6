import type { LaunchFacts, LaunchRecipe } from "../launch-recipe.ts";
import { type StandIn, standInArgs } from "./stand-in.ts";

/** Starts a stand-in where an acp-host would be; `seen` gets what it was started with. */
export function standInRecipe(standIn: StandIn, seen: LaunchFacts[] = []): LaunchRecipe {
  return {
    target: "acp-host",
    async plan(facts) {
      seen.push(facts);
      return {
        program: process.execPath,
        args: standInArgs(standIn),
        workingDirectory: facts.workingDirectory,
        environment: { HOME: facts.folder.home, ZED_HELIX_TOKEN: facts.token },
      };
    },
  };
}
