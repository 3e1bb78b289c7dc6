// `npm test`: every check of this repository, each with its name and time. What follows `--` goes to vitest.
//
// The checks that need no database run side by side, then the tests. The last line of stdout is always
// "N passed, N failed", over checks and tests together; the exit code is 1 when anything failed.

import { COUNTS_FILE_VARIABLE, type TestCounts } from "@helix-zed/harness/summary-reporter.ts";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { contractSteps } from "./contract-steps.ts";
import { emitValidateProto } from "./emit-validate-proto.ts";
import { runStep, toolStep, type StepResult } from "./step.ts";
import { addUp, countTests } from "./test-counts.ts";

const root = path.resolve(import.meta.dirname, "..");

async function main(vitestArguments: readonly string[]): Promise<void> {
  emitValidateProto(root);
  const results = await Promise.all(steps().map((step) => runStep(step).then(report)));
  const { passed, failed, skipped } = addUp(await runTests(vitestArguments), results);
  for (const { name } of results.filter(({ problem }) => problem !== undefined)) console.log(`Failed: ${name}`);
  if (skipped > 0) console.log(`Skipped: ${skipped}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function steps() {
  return [
    ...contractSteps(root),
    toolStep(root, "lint", ["oxlint", "--deny-warnings"]),
    toolStep(root, "format", ["oxfmt", "--check"]),
    toolStep(root, "types", ["tsc", "--noEmit"]),
  ];
}

function report(result: StepResult): StepResult {
  const seconds = (result.durationMs / 1000).toFixed(1);
  console.log(`${result.problem === undefined ? "✓" : "✗"} ${result.name} (${seconds} s)`);
  if (result.problem !== undefined) console.log(`${result.problem}\n`);
  return result;
}

async function runTests(args: readonly string[]): Promise<TestCounts> {
  const scratch = mkdtempSync(path.join(tmpdir(), "helix-zed-counts-"));
  const countsFile = path.join(scratch, "counts.json");
  try {
    return countTests({ countsFile, exitCode: await runVitest(args, countsFile) });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runVitest(args: readonly string[], countsFile: string): Promise<number> {
  const program = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const vitest = spawn(process.execPath, [program, "run", ...args], {
    cwd: root,
    env: { ...process.env, [COUNTS_FILE_VARIABLE]: countsFile },
    stdio: "inherit",
  });
  const stop = (): boolean => vitest.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  // The bootstrap that started us was killed.
  process.once("disconnect", stop);
  return new Promise((resolve) => vitest.once("close", (code) => resolve(code ?? 1)));
}

await main(process.argv.slice(2));
// The channel to the bootstrap would keep this process alive.
if (process.connected) process.disconnect();
