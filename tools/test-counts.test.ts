import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { closingLine } from "@helix-zed/harness/summary-reporter.ts";
import { addUp, countTests } from "./test-counts.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "test-counts-"));
const countsFile = path.join(scratch, "counts.json");

afterAll(() => rmSync(scratch, { recursive: true }));

describe("the counts of npm test", () => {
  test("are those of the tests and one for each step", () => {
    writeFileSync(countsFile, JSON.stringify({ passed: 3, failed: 1, skipped: 2 }));
    const steps = [
      { name: "lint", problem: undefined, durationMs: 1 },
      { name: "types", problem: "wrong", durationMs: 1 },
    ];
    expect(addUp(countTests({ countsFile, exitCode: 1 }), steps)).toEqual({ passed: 4, failed: 2, skipped: 2 });
  });

  test("hold a failure when the tests ended badly though none failed", () => {
    writeFileSync(countsFile, JSON.stringify({ passed: 3, failed: 0, skipped: 0 }));
    expect(countTests({ countsFile, exitCode: 1 })).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  test("hold a failure when the tests never got to count anything", () => {
    const missing = { countsFile: path.join(scratch, "missing.json"), exitCode: 137 };
    expect(countTests(missing)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("the closing line", () => {
  test("names what was skipped only where something was", () => {
    expect(closingLine({ passed: 2, failed: 0, skipped: 0 })).toBe("2 passed, 0 failed");
    expect(closingLine({ passed: 2, failed: 1, skipped: 3 })).toBe("2 passed, 1 failed, 3 skipped");
  });
});
