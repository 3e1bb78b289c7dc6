import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ZedFault } from "./stand-in-zed.ts";

const sources = fileURLToPath(new URL("stand-in-zed.ts", import.meta.url));

/** Makes a program in the folder that can be named as ZED_BINARY, and gives its path. */
export function makeStandInZed(folder: string, fault: ZedFault = "none"): string {
  const file = path.join(folder, `zed-editor-${fault}.mjs`);
  const program = [
    `#!${process.execPath}`,
    `import { runStandIn } from ${JSON.stringify(sources)};`,
    `await runStandIn(${JSON.stringify(fault)});`,
  ];
  writeFileSync(file, `${program.join("\n")}\n`, { mode: 0o755 });
  return file;
}
