import { existsSync } from "node:fs";
import path from "node:path";
import { runTool } from "./run-tool.ts";

/** One check of `npm test`: answers what is wrong, or nothing. */
export interface Step {
  readonly name: string;
  run(): Promise<string | undefined>;
}

/** How a step ended. */
export interface StepResult {
  readonly name: string;
  readonly problem: string | undefined;
  readonly durationMs: number;
}

/** A step that fails when a tool of node_modules/.bin does, with all that the tool said. */
export function toolStep(root: string, name: string, [tool, ...args]: readonly [string, ...string[]]): Step {
  return {
    name,
    async run() {
      if (!existsSync(path.join(root, "node_modules", ".bin", tool))) return `${tool} is not installed.`;
      const { exitCode, output } = await runTool(root, tool, args);
      return exitCode === 0 ? undefined : output.trim() || `${tool} ended with ${exitCode}.`;
    },
  };
}

/** Runs a step; one that throws has failed. */
export async function runStep(step: Step): Promise<StepResult> {
  const startedAt = performance.now();
  const problem = await step.run().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  return { name: step.name, problem, durationMs: performance.now() - startedAt };
}
