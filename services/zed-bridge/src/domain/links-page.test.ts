// docs/links.md and docs/lifecycles.md show the tables and numbers of the code: rendered here, and compared.
import { readFileSync } from "node:fs";
import path from "node:path";
import { lifecycleTable } from "@helix-zed/harness/lifecycle-table.ts";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { threadLifecycle } from "./thread-mapping.ts";
import { turnLifecycle } from "./turn.ts";

const read = (page: string): string =>
  readFileSync(path.resolve(import.meta.dirname, "../../../../docs", page), "utf8");

describe("docs/lifecycles.md", () => {
  test("shows the lifecycles of threads and of turns", () => {
    expect(read("lifecycles.md")).toContain(lifecycleTable(threadLifecycle));
    expect(read("lifecycles.md")).toContain(lifecycleTable(turnLifecycle));
  });
});

describe("docs/links.md", () => {
  test.each(Object.entries(defaultLimits))("states %s as it is", (name, value) => {
    expect(read("links.md")).toContain(`| \`${name}\` | ${value} |`);
  });
});
