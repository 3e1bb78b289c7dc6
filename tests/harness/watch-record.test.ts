import { describe, expect, test } from "vitest";
import { firstDifference, problemsOfRecord, type Recorded } from "./watch-record.ts";

function message(atMs: number, more: Partial<Recorded> = {}): Recorded {
  return { atMs, token: `t${atMs}`, connection: 1, seen: "progress", tenant: null, ...more };
}

const synced = { seen: { kind: "synced" } } as const;
const changed = { seen: { kind: "changed", id: "a", version: 1 }, tenant: "ada" } as const;
const duties = { silenceMsMax: 100, tenant: "ada" };

describe("the judge of how watches come", () => {
  test("finds nothing wrong with one that keeps its promises", () => {
    const record = [message(0, { ...changed, token: "" }), message(50, synced), message(120), message(200, changed)];
    expect(problemsOfRecord(record, duties)).toEqual([]);
  });

  test.each<[string, Recorded[], RegExp]>([
    ["a silence", [message(0, synced), message(101)], /silent for 101 ms/],
    ["a missing token", [message(0, synced), message(1, { token: "" })], /message 1 has the token ""/],
    ["a token within the snapshot", [message(0, changed), message(1, synced)], /message 0 has the token/],
    ["something of somebody else", [message(0, synced), message(1, { ...changed, tenant: "eve" })], /something of eve/],
  ])("notices %s", (_name, record, problem) => {
    expect(problemsOfRecord(record, duties).join()).toMatch(problem);
  });

  test("does not take the time between two connections for a silence", () => {
    expect(problemsOfRecord([message(0, synced), message(900, { connection: 2 })], duties)).toEqual([]);
  });

  test("notices where a resumed watch goes on differently", () => {
    const original = [message(0, synced), message(1, changed), message(2), message(3, { ...changed, tenant: null })];
    expect(firstDifference(original, 0, [message(9), message(10, changed), message(11, changed)])).toBeNull();
    expect(firstDifference(original, 0, [message(10, changed)])).toMatch(/after message 0, event 1 is undefined/);
    expect(firstDifference(original, 3, [message(10, changed)])).toMatch(/not undefined/);
  });
});
