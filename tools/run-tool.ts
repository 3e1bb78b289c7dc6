import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** How a finished tool ended and everything it printed, in the order it came. */
export interface ToolResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a command of node_modules/.bin in `root`, or in a folder of it, and collects what it prints. */
export async function runTool(
  root: string,
  name: string,
  args: readonly string[],
  { folder = "." }: { readonly folder?: string } = {},
): Promise<ToolResult> {
  const bin = path.join(root, "node_modules", ".bin");
  const tool = spawn(path.join(bin, name), args, {
    cwd: path.join(root, folder),
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"]}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  tool.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  tool.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(tool, "close");
  return { exitCode: tool.exitCode, output };
}
