// docs/guarantees.md and the tests are kept in step: every promise in the page names a test that exists.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

interface Guarantee {
  readonly promise: string;
  readonly file: string;
  readonly title: string;
}

/** The rows of the page's tables: | promise | `file` | test title | */
function guarantees(): Guarantee[] {
  const page = readFileSync(path.join(root, "docs", "guarantees.md"), "utf8");
  return [...page.matchAll(/^\| (?<promise>[^|]+) \| `(?<file>[^`|]+\.test\.ts)` \| (?<title>[^|]+) \|$/gm)].map(
    ({ groups }) => ({
      promise: groups?.["promise"]?.trim() ?? "",
      file: groups?.["file"] ?? "",
      title: groups?.["title"]?.trim() ?? "",
    }),
  );
}

describe("docs/guarantees.md", () => {
  test("lists promises in rows that can be read", () => {
    const page = readFileSync(path.join(root, "docs", "guarantees.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| promise "));
    expect(rows.length).toBeGreaterThan(0);
    expect(guarantees()).toHaveLength(rows.length);
  });

  test("names for every promise a test that exists", () => {
    const unproved = guarantees().filter(({ file, title }) => !proves(file, title));
    expect(unproved).toEqual([]);
  });
});

function proves(file: string, title: string): boolean {
  const place = path.join(root, file);
  return existsSync(place) && readFileSync(place, "utf8").includes(title);
}
