// `npm run accept-contract`: makes the contract as it is now the one that later changes must not break.
//
// `npm test` compares proto/ with the image that this writes, so it needs no history and works on a shallow clone.
// Run it when a version of the contract is given to others, and commit the image with that version.

import path from "node:path";
import { ACCEPTED_CONTRACT } from "./contract-steps.ts";
import { emitValidateProto } from "./emit-validate-proto.ts";
import { runTool } from "./run-tool.ts";

const root = path.resolve(import.meta.dirname, "..");

emitValidateProto(root);
const { exitCode, output } = await runTool(root, "buf", [
  "build",
  "proto",
  "--exclude-source-info",
  "--output",
  ACCEPTED_CONTRACT,
]);
process.stdout.write(output);
if (exitCode === 0) console.log(`${ACCEPTED_CONTRACT} holds the contract that later changes must not break.`);
process.exitCode = exitCode ?? 1;
