import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeProgram } from "./make-program.ts";
import type { ZedFault } from "./stand-in-zed.ts";

const sources = fileURLToPath(new URL("stand-in-zed.ts", import.meta.url));

/** Makes a program in the folder that can be named as ZED_BINARY, and gives its path. */
export function makeStandInZed(folder: string, fault: ZedFault = "none"): string {
  const file = path.join(folder, `zed-editor-${fault}`);
  makeProgram(
    file,
    `import { runStandIn } from ${JSON.stringify(sources)};\nawait runStandIn(${JSON.stringify(fault)});`,
  );
  return file;
}
