// `npm run bench`: what things cost on this machine. Each program of tests/load/ measures against a baseline in its own
// run, so that its ratios mean something on a busy machine too; docs/performance.md tells how to read them.
//
//    npm run bench                    all of them, quickly
//    npm run bench -- get-task        one of them
//    npm run bench -- --full …        for as long as it takes to be sure

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const folder = path.join(root, "tests", "load");
const programs = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => path.basename(file, ".ts"));

async function main(args: readonly string[]): Promise<void> {
  const isFull = args.includes("--full");
  const names = args.filter((arg) => arg !== "--full");
  const unknown = names.filter((name) => !programs.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}; there are: ${programs.join(", ")}.`);
    process.exitCode = 1;
    return;
  }
  for (const name of names.length > 0 ? names : programs) {
    console.log(`── ${name}`);
    const code = await run(name, isFull);
    if (code !== 0) process.exitCode = 1;
    console.log("");
  }
}

function run(name: string, isFull: boolean): Promise<number> {
  const size = isFull ? { HELIX_ZED_TEST_SIZE: "full" } : {};
  const program = spawn(process.execPath, [path.join(folder, `${name}.ts`)], {
    cwd: root,
    env: { ...process.env, ...size },
    stdio: "inherit",
  });
  const stop = (): boolean => program.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  // The bootstrap that started us was killed.
  process.once("disconnect", stop);
  return new Promise((resolve) => program.once("close", (code) => resolve(code ?? 1)));
}

await main(process.argv.slice(2));
// The channel to the bootstrap would keep this process alive.
if (process.connected) process.disconnect();
