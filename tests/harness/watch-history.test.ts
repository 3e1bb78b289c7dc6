import { describe, expect, test } from "vitest";
import { type Committed, problemsOf, type Seen } from "./watch-history.ts";

function changed(id: string, version: number): Seen {
  return { kind: "changed", id, version };
}

function deleted(id: string): Seen {
  return { kind: "deleted", id };
}

const synced: Seen = { kind: "synced" };

function commit(...changes: [id: string, version: number, matches?: boolean][]): Committed {
  return { changes: changes.map(([id, version, matches = true]) => ({ id, version, matches })) };
}

const history = [commit(["a", 1]), commit(["a", 2], ["b", 1]), commit(["a", 3]), commit(["b", 2, false])];

describe("the judge of watches", () => {
  test.each<[string, Seen[]]>([
    ["the whole history", [synced, changed("a", 1), changed("a", 2), changed("b", 1), changed("a", 3), deleted("b")]],
    ["a snapshot in the middle", [changed("a", 2), changed("b", 1), synced, changed("a", 3), deleted("b")]],
    ["a snapshot of the end", [changed("a", 3), synced]],
    [
      "either order within a transaction",
      [changed("a", 1), synced, changed("b", 1), changed("a", 2), changed("a", 3), deleted("b")],
    ],
  ])("finds nothing wrong with %s", (_name, seen) => {
    expect(problemsOf(seen, history)).toEqual([]);
  });

  test.each<[string, Seen[], RegExp]>([
    ["a lost end", [changed("a", 2), changed("b", 1), synced, changed("a", 3)], /never showed b deleted/],
    ["a lost middle", [changed("a", 1), synced, changed("b", 1), changed("a", 3), deleted("b")], /left out a@2/],
    ["something twice", [changed("a", 3), synced, changed("a", 3)], /a@3 although it was not due/],
    ["something older", [changed("a", 3), synced, changed("a", 2)], /a@2 although it was not due/],
    [
      "a snapshot of half a transaction",
      [changed("a", 2), synced, changed("b", 1), changed("a", 3), deleted("b")],
      /holds a part/,
    ],
    [
      "a torn transaction",
      [changed("a", 1), synced, changed("a", 2), changed("a", 3), changed("b", 1), deleted("b")],
      /in the middle of/,
    ],
    ["what does not match", [changed("a", 3), changed("b", 2), synced], /b@2, which does not match/],
    ["a snapshot without an end", [changed("a", 3)], /never complete/],
    ["a resource that was never shown", [synced], /never showed a@1, a@2, a@3/],
  ])("notices %s", (_name, seen, problem) => {
    expect(problemsOf(seen, history).join("\n")).toMatch(problem);
  });

  test("notices when what a writer did later is shown first", () => {
    const steps = [
      { ...commit(["a", 1]), writer: { name: "w", step: 1 } },
      { ...commit(["b", 1]), writer: { name: "w", step: 2 } },
    ];
    expect(problemsOf([synced, changed("b", 1), changed("a", 1)], steps).join()).toMatch(/before what its writer did/);
    expect(problemsOf([changed("b", 1), synced, changed("a", 1)], steps).join()).toMatch(/before what its writer did/);
    expect(problemsOf([synced, changed("a", 1), changed("b", 1)], steps)).toEqual([]);
  });
});
