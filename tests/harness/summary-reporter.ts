import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** How a run of the tests ended, in numbers. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Where to write the counts instead of printing them: the name of an environment variable. */
export const COUNTS_FILE_VARIABLE = "TEST_COUNTS_FILE";

/** "N passed, N failed", and what was skipped only where something was. */
export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

/** Ends the output with the closing line, or hands the counts to the program that runs the tests among other steps. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = countTests(modules, unhandledErrors.length);
    const file = process.env[COUNTS_FILE_VARIABLE];
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
    // The other reporters are not done when this is called.
    else process.once("exit", () => process.stdout.write(`\n${closingLine(counts)}\n`));
  }
}

/** A file that failed as a whole (an import, a hook), and an error outside of any test, count as one failure each. */
function countTests(modules: readonly TestModule[], unhandledCount: number): TestCounts {
  const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
  const count = (state: string): number => states.filter((found) => found === state).length;
  const [passed, failed] = [count("passed"), count("failed")];
  const brokenFiles = modules.filter(isBroken).length;
  return { passed, failed: failed + brokenFiles + unhandledCount, skipped: states.length - passed - failed };
}

function isBroken(module: TestModule): boolean {
  return module.state() === "failed" && [...module.children.allTests("failed")].length === 0;
}
