import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rollUp } from "./roll-up.ts";
import { taskLifecycle, type TaskStatus, type TaskType } from "./task-lifecycle.ts";
import type { WorkSessionStatus } from "./work-session-lifecycle.ts";

const statuses: readonly WorkSessionStatus[] = ["pending", "blocked", "active", "completed", "failed", "cancelled"];
const types: readonly TaskType[] = ["interactive", "batch", "coding_session"];
const taskStatuses: readonly TaskStatus[] = ["pending", "active", "completed", "failed", "cancelled"];

/** Where the task is after the roll-up. */
function after(taskType: TaskType, status: TaskStatus, sessions: readonly WorkSessionStatus[]): TaskStatus {
  let now = status;
  for (const action of rollUp({ taskType, status }, sessions).actions) {
    const next = taskLifecycle[now][action];
    if (next === null) throw new Error(`cannot ${action} from ${now}`);
    now = next;
  }
  return now;
}

describe("a task that ends with its sessions", () => {
  test.each<[string, TaskStatus, WorkSessionStatus[], TaskStatus]>([
    ["has no sessions: stays", "pending", [], "pending"],
    ["waits while nobody has begun", "pending", ["pending", "blocked"], "pending"],
    ["is active with its first active session", "pending", ["pending", "active"], "active"],
    ["is active when one has ended and another waits", "pending", ["completed", "pending"], "active"],
    ["stays active while one waits", "active", ["completed", "pending"], "active"],
    ["stays active while one is blocked, whatever failed", "active", ["failed", "blocked"], "active"],
    ["is completed when all are", "active", ["completed", "completed"], "completed"],
    ["is completed when some are and the rest was cancelled", "active", ["completed", "cancelled"], "completed"],
    ["is failed when one is", "active", ["completed", "failed", "cancelled"], "failed"],
    ["is failed when its only session failed before it began", "pending", ["failed"], "failed"],
    ["is cancelled when all are", "active", ["cancelled", "cancelled"], "cancelled"],
    ["is cancelled when all are before any began", "pending", ["cancelled"], "cancelled"],
    ["is completed when its session began and ended at once", "pending", ["completed"], "completed"],
  ])("%s", (_promise, status, sessions, expected) => {
    expect(after("batch", status, sessions)).toBe(expected);
    expect(after("coding_session", status, sessions)).toBe(expected);
  });
});

describe("an interactive task", () => {
  test.each<[string, TaskStatus, WorkSessionStatus[], TaskStatus]>([
    ["is active with its first active session", "pending", ["active"], "active"],
    ["stays active when all its sessions have ended", "active", ["completed", "failed", "cancelled"], "active"],
    ["stays pending when its only session was cancelled", "pending", ["cancelled"], "pending"],
  ])("%s", (_promise, status, sessions, expected) => {
    expect(after("interactive", status, sessions)).toBe(expected);
  });
});

describe("the roll-up", () => {
  const anySessions = fc.array(fc.constantFrom(...statuses), { maxLength: 50 });

  test("has an answer that the lifecycle allows for every set of sessions", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(...taskStatuses),
        anySessions,
        (type, status, sessions) => {
          expect(taskStatuses).toContain(after(type, status, sessions));
        },
      ),
    );
  });

  test("agrees with the rule as it is written", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom<TaskStatus>("pending", "active"),
        anySessions,
        (type, status, sessions) => {
          expect(after(type, status, sessions)).toBe(model(type, status, sessions));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("never takes a task out of its end", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom<TaskStatus>("completed", "failed", "cancelled"),
        anySessions,
        (type, status, sessions) => {
          expect(after(type, status, sessions)).toBe(status);
        },
      ),
    );
  });

  test("is the same in whatever order the sessions are", () => {
    const shuffled = anySessions.chain((sessions) =>
      fc.tuple(fc.constant(sessions), fc.shuffledSubarray(sessions, { minLength: sessions.length })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...types), shuffled, (type, [sessions, other]) => {
        expect(after(type, "active", sessions)).toBe(after(type, "active", other));
      }),
    );
  });
});

/** The rule, by counting. */
function model(type: TaskType, status: TaskStatus, sessions: readonly WorkSessionStatus[]): TaskStatus {
  const count = (wanted: WorkSessionStatus): number => sessions.filter((session) => session === wanted).length;
  const ended = count("completed") + count("failed") + count("cancelled");
  if (type !== "interactive" && sessions.length > 0 && ended === sessions.length) {
    if (count("failed") > 0) return "failed";
    return count("completed") > 0 ? "completed" : "cancelled";
  }
  return count("active") + count("completed") > 0 ? "active" : status;
}
