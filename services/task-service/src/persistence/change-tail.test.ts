import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import type { SizedChange } from "./change-reader.ts";
import { ChangeTail } from "./change-tail.ts";

const NOW = new Date();

function changes(from: number, upTo: number, bytes = 100): SizedChange[] {
  return Array.from({ length: upTo - from + 1 }, (_, index) => ({ change: change(from + index), bytes }));
}

function change(seq: number): Change {
  const before = {
    status: "pending",
    taskType: "batch",
    priority: 0,
    userId: "u",
    appId: "",
    name: "n",
    createdAt: NOW,
    updatedAt: NOW,
  } as const;
  return { seq, id: seq, tenant: "t", refId: "r", taskId: "r", kind: "task", before, after: null };
}

function seqs(found: readonly Change[]): number[] {
  return found.map(({ seq }) => seq);
}

describe("the tail of the log", () => {
  test("gives what lies between two numbers, and no more than it was asked for", () => {
    const tail = new ChangeTail(10, 2_000);
    tail.push(changes(11, 20));
    expect(seqs(tail.between(10, 13))).toEqual([11, 12, 13]);
    expect(seqs(tail.between(18, 20))).toEqual([19, 20]);
    expect(seqs(tail.between(20, 20))).toEqual([]);
  });

  test("knows what it does not hold", () => {
    const tail = new ChangeTail(10, 2_000);
    expect([tail.covers(9), tail.covers(10)]).toEqual([false, true]);
    tail.push(changes(11, 20));
    tail.reset(50);
    expect([tail.covers(20), tail.covers(50)]).toEqual([false, true]);
  });

  test("is bounded in number, and drops the oldest", () => {
    const tail = new ChangeTail(0, 2_000);
    tail.push(changes(1, 5_000));
    expect([tail.covers(2_999), tail.covers(3_000)]).toEqual([false, true]);
    expect(seqs(tail.between(3_000, 3_002))).toEqual([3_001, 3_002]);
  });

  test("is bounded in size, and drops the oldest", () => {
    const tail = new ChangeTail(0, 2_000);
    tail.push(changes(1, 100, 1024 * 1024));
    expect([tail.covers(83), tail.covers(84)]).toEqual([false, true]);
    expect(seqs(tail.between(84, 100))).toHaveLength(16);
  });
});
