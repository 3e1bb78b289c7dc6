import { existsSync, readFileSync } from "node:fs";
import type { TestCounts } from "@helix-zed/harness/summary-reporter.ts";
import type { StepResult } from "./step.ts";

/** How vitest ended: the file that its reporter wrote, and its exit code. */
export interface TestRun {
  readonly countsFile: string;
  readonly exitCode: number;
}

/** The tests of a run; one that ended badly without a failed test, or without any counts, has one failure. */
export function countTests({ countsFile, exitCode }: TestRun): TestCounts {
  const { passed, failed, skipped } = readCounts(countsFile);
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Tests and steps together: each step counts as one. */
export function addUp(tests: TestCounts, steps: readonly StepResult[]): TestCounts {
  const failedSteps = steps.filter(({ problem }) => problem !== undefined).length;
  return {
    passed: tests.passed + steps.length - failedSteps,
    failed: tests.failed + failedSteps,
    skipped: tests.skipped,
  };
}

function readCounts(file: string): TestCounts {
  const counts: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  return isCounts(counts) ? counts : { passed: 0, failed: 0, skipped: 0 };
}

function isCounts(value: unknown): value is TestCounts {
  if (typeof value !== "object" || value === null) return false;
  const { passed, failed, skipped } = { passed: undefined, failed: undefined, skipped: undefined, ...value };
  return [passed, failed, skipped].every((count) => typeof count === "number");
}
