import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beginLog, lastLogLines, logBytesMax, trimLog } from "./output-log.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "zed-bridge-output-log-"));
  file = path.join(folder, "output.log");
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("an output log", () => {
  test("has no lines before anything was written", async () => {
    await trimLog(file);
    expect(await lastLogLines(file)).toEqual([]);
  });

  test("holds what one launch has written, and the one before is put aside", async () => {
    for (const launch of ["first", "second"]) {
      await beginLog(file);
      appendFileSync(file, `${launch}\n`);
    }
    expect(await lastLogLines(file)).toEqual(["second"]);
    expect(await lastLogLines(`${file}.1`)).toEqual(["first"]);
  });

  test("shows its last hundred lines, readable", async () => {
    writeFileSync(file, Array.from({ length: 150 }, (_, index) => `line ${index}\n`).join(""));
    appendFileSync(file, "\u001b[31mred\u001b[0m\u0007\r\n");
    const lines = await lastLogLines(file);
    expect(lines).toHaveLength(100);
    expect(lines.at(0)).toBe("line 51");
    expect(lines.at(-1)).toBe("red");
  });

  test("stays as it is below its limit", async () => {
    writeFileSync(file, "x".repeat(logBytesMax));
    await trimLog(file);
    expect(statSync(file).size).toBe(logBytesMax);
  });

  test("keeps its end when it is trimmed, and its writers go on after it", async () => {
    writeFileSync(file, `${"x".repeat(999)}\n`.repeat(2_000));
    await trimLog(file);
    appendFileSync(file, "after\n");
    expect(statSync(file).size).toBeLessThanOrEqual(64 * 1024 + 6);
    expect((await lastLogLines(file)).slice(-2)).toEqual(["x".repeat(999), "after"]);
  });
});
