// docs/filters.md says what the code does: its examples are read, its tables name the fields, its limits are the limits.

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../limits.ts";
import { conditionOf } from "./filter-condition.ts";
import { taskFields, workSessionFields } from "./filter-fields.ts";
import { orderOf } from "./order-of.ts";
import { parseFilter } from "./parse-filter.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../../../docs/filters.md"), "utf8");

function block(place: number): string {
  return [...page.matchAll(/```\n([^`]+)```/g)][place]?.[1]?.trim() ?? "";
}

describe("docs/filters.md", () => {
  test("gives examples that can be read", () => {
    const examples = block(0).split("\n");
    expect(examples).toHaveLength(5);
    for (const example of examples) expect(conditionOf(example, taskFields, defaultLimits)).not.toBeNull();
    expect(parseFilter("a = 1 AND b = 2 OR c = 3")).toMatchObject({ kind: "and", operands: [{}, { kind: "or" }] });
    expect(orderOf("priority, created_at desc", taskFields, defaultLimits)).toHaveLength(2);
  });

  test("names every field with its type", () => {
    const rows = [...page.matchAll(/^\| (?<names>`[^|]+`) \| (?<type>word|text|number|time) \|/gm)];
    const named = rows.flatMap(({ groups }) =>
      (groups?.["names"] ?? "").split(", ").map((name) => [name.replaceAll("`", ""), groups?.["type"]]),
    );
    expect(named).toEqual(Object.entries(workSessionFields).map(([name, { type }]) => [name, type]));
  });

  test("quotes an error as it is", () => {
    expect(block(2)).toMatch(/^filter: position 10: /);
    expect(() => conditionOf("status = running", taskFields, defaultLimits)).toThrow(block(2).replace("filter: ", ""));
  });

  test("states the limits", () => {
    const { filterCharsMax, filterTermsMax } = defaultLimits;
    expect(page).toContain(
      `At most ${filterCharsMax.toLocaleString("en")} characters and ${filterTermsMax} comparisons.`,
    );
  });
});
