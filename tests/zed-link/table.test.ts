// The table of the failures that production has seen: 76 rows, each of them one test in this folder.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROWS = 76;
const TITLE = /^test\("(?<number>\d+)\. (?<promise>[^"]+)"/gm;

describe("the table of known failures", () => {
  test("has one test for each of its rows, and a promise of its own in each", () => {
    const rows = readdirSync(import.meta.dirname)
      .filter((file) => file.endsWith(".test.ts"))
      .flatMap((file) => [...readFileSync(path.join(import.meta.dirname, file), "utf8").matchAll(TITLE)])
      .map(({ groups }) => ({ number: Number(groups?.["number"]), promise: groups?.["promise"] }));
    const numbers = rows.map(({ number }) => number).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
    expect(new Set(rows.map(({ promise }) => promise)).size).toBe(ROWS);
  });
});
