import { existsSync } from "node:fs";
import path from "node:path";
import { staleFiles, withGeneratedCode } from "./generated-code.ts";
import { toolStep, type Step } from "./step.ts";

/** The contract that changes must not break, as an image; see accept-contract.ts. */
export const ACCEPTED_CONTRACT = path.join("proto", "accepted.binpb.gz");

/** Everything that is checked about proto/; buf/validate/validate.proto must have been emitted. */
export function contractSteps(root: string): Step[] {
  return [
    toolStep(root, "contract: lint", ["buf", "lint", "proto"]),
    toolStep(root, "contract: format", ["buf", "format", "proto", "--diff", "--exit-code"]),
    compatibilityStep(root),
    generatedCodeStep(root),
  ];
}

function compatibilityStep(root: string): Step {
  const compare = toolStep(root, "contract: nothing breaks", [
    "buf",
    "breaking",
    "proto",
    "--against",
    ACCEPTED_CONTRACT,
  ]);
  return {
    name: compare.name,
    async run() {
      if (existsSync(path.join(root, ACCEPTED_CONTRACT))) return compare.run();
      return `${ACCEPTED_CONTRACT} is missing: it comes from \`npm run accept-contract\`.`;
    },
  };
}

function generatedCodeStep(root: string): Step {
  return {
    name: "generated code is up to date",
    async run() {
      const stale = await withGeneratedCode(root, (fresh) => staleFiles(fresh, root));
      if (stale.length === 0) return undefined;
      const lines = stale.map(({ path: file, problem }) => `${file} is ${problem}`);
      return [...lines, "Run `npm run generate` and commit the result."].join("\n");
    },
  };
}
