import { isTerminal, type Lifecycle, nextState } from "@helix-zed/domain";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { threadLifecycle } from "./thread-mapping.ts";
import { inFlightStatuses, isInFlight, isTurnOver, turnLifecycle } from "./turn.ts";
import { instanceLifecycle } from "./zed-instance.ts";

function endsOf(table: Lifecycle<string, string>): string[] {
  return Object.keys(table).filter((state) => isTerminal(table, state));
}

/** Where a walk of actions ends; refused ones leave the state as it is. */
function walk(table: Lifecycle<string, string>, from: string, actions: readonly string[]): string {
  return actions.reduce((state, action) => nextState(table, state, action) ?? state, from);
}

function reachable(table: Lifecycle<string, string>, from: string): Set<string> {
  const seen = new Set([from]);
  for (const state of seen) for (const next of Object.values(table[state] ?? {})) if (next !== null) seen.add(next);
  return seen;
}

describe("a turn", () => {
  test("ends as completed, failed or interrupted, and in no other way", () => {
    const ends = endsOf(turnLifecycle);
    expect(ends).toEqual(["completed", "failed", "interrupted"]);
    for (const end of ["completed", "failed", "interrupted"] as const) expect(isTurnOver(end)).toBe(true);
  });

  test("stays as it ended, whatever happens afterwards", () => {
    const actions = fc.array(fc.constantFrom(...Object.keys(turnLifecycle.queued)));
    fc.assert(
      fc.property(fc.constantFrom("completed", "failed", "interrupted"), actions, (end, after) => {
        expect(walk(turnLifecycle, end, after)).toBe(end);
      }),
    );
  });

  test("can end and can go back to the queue from wherever the editor has it", () => {
    for (const state of inFlightStatuses) {
      expect(isInFlight(state)).toBe(true);
      expect(turnLifecycle[state]).toMatchObject({
        complete: "completed",
        fail: "failed",
        interrupt: "interrupted",
        requeue: "queued",
      });
    }
  });

  test("does nothing in the queue but wait, be sent, fail or be taken back", () => {
    const possible = Object.entries(turnLifecycle.queued).filter(([, next]) => next !== null);
    expect(possible.map(([action]) => action)).toEqual(["send", "fail", "interrupt"]);
  });
});

describe("a thread", () => {
  test("is final once it is completed or failed", () => {
    const ends = endsOf(threadLifecycle);
    expect(ends).toEqual(["completed", "failed"]);
  });

  test("can end from wherever it is, and come back from a lost connection or a lost context", () => {
    for (const state of ["pending", "active", "disconnected"] as const) {
      expect(threadLifecycle[state]).toMatchObject({ complete: "completed", fail: "failed" });
      expect(reachable(threadLifecycle, state)).toContain("active");
    }
  });
});

describe("an instance", () => {
  test("can always be wanted again", () => {
    for (const state of Object.keys(instanceLifecycle)) {
      expect(reachable(instanceLifecycle, state)).toContain("running");
    }
  });
});
