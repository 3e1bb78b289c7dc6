import { availableActions, isTerminal } from "@helix-zed/domain";
import { describe, expect, test } from "vitest";
import { hasTaskEnded, type TaskAction, taskLifecycle, type TaskStatus } from "./task-lifecycle.ts";
import {
  hasSessionEnded,
  liveStatuses,
  type WorkSessionAction,
  workSessionLifecycle,
  type WorkSessionStatus,
} from "./work-session-lifecycle.ts";

describe("the lifecycle of a task", () => {
  test.each<[TaskStatus, Partial<Record<TaskAction, TaskStatus>>]>([
    ["pending", { activate: "active", fail: "failed", cancel: "cancelled" }],
    ["active", { complete: "completed", fail: "failed", cancel: "cancelled" }],
    ["completed", {}],
    ["failed", {}],
    ["cancelled", {}],
  ])("from %s allows exactly this", (status, allowed) => {
    const row = Object.entries(taskLifecycle[status]).filter(([, next]) => next !== null);
    expect(Object.fromEntries(row)).toEqual(allowed);
    expect(availableActions(taskLifecycle, status)).toEqual(Object.keys(allowed));
    expect(hasTaskEnded(status)).toBe(Object.keys(allowed).length === 0);
  });
});

describe("the lifecycle of a work session", () => {
  test.each<[WorkSessionStatus, Partial<Record<WorkSessionAction, WorkSessionStatus>>]>([
    ["pending", { activate: "active", fail: "failed", cancel: "cancelled", requeue: "pending" }],
    ["blocked", { fail: "failed", cancel: "cancelled" }],
    ["active", { complete: "completed", fail: "failed", cancel: "cancelled", requeue: "pending" }],
    ["completed", {}],
    ["failed", {}],
    ["cancelled", {}],
  ])("from %s allows exactly this", (status, allowed) => {
    const row = Object.entries(workSessionLifecycle[status]).filter(([, next]) => next !== null);
    expect(Object.fromEntries(row)).toEqual(allowed);
    expect(hasSessionEnded(status)).toBe(Object.keys(allowed).length === 0);
  });

  test("names the statuses that are not final", () => {
    const statuses: WorkSessionStatus[] = ["pending", "blocked", "active", "completed", "failed", "cancelled"];
    expect(statuses.filter((status) => !isTerminal(workSessionLifecycle, status))).toEqual([...liveStatuses]);
  });
});
