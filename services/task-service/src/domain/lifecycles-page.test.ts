// docs/lifecycles.md shows the tables of the code: rendered here, and compared.

import { readFileSync } from "node:fs";
import path from "node:path";
import { lifecycleTable, table } from "@helix-zed/harness/lifecycle-table.ts";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { rollUp } from "./roll-up.ts";
import { taskLifecycle, type TaskStatus, type TaskType } from "./task-lifecycle.ts";
import { onTurnEndOf } from "./turn-end.ts";
import { workSessionLifecycle, type WorkSessionStatus } from "./work-session-lifecycle.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../../docs/lifecycles.md"), "utf8");
const types: readonly TaskType[] = ["batch", "coding_session", "interactive"];

/** What becomes of a task, in words: its next status, or what it stays. */
function becomes(taskType: TaskType, status: TaskStatus, sessions: readonly WorkSessionStatus[]): string {
  let now = status;
  for (const action of rollUp({ taskType, status }, sessions).actions) now = taskLifecycle[now][action] ?? now;
  return now === status ? `stays ${status}` : now;
}

const cases: readonly [string, TaskStatus, readonly WorkSessionStatus[]][] = [
  ["none has begun", "pending", ["pending", "blocked"]],
  ["the first is active", "pending", ["active", "pending"]],
  ["some have ended, others live", "active", ["completed", "failed", "pending"]],
  ["all have ended, one or more failed", "active", ["completed", "cancelled", "failed"]],
  ["all have ended, none failed, one or more completed", "active", ["completed", "cancelled"]],
  ["all were cancelled", "active", ["cancelled", "cancelled"]],
];

describe("docs/lifecycles.md", () => {
  test("shows the lifecycle of tasks", () => {
    expect(page).toContain(lifecycleTable(taskLifecycle));
  });

  test("shows the lifecycle of work sessions", () => {
    expect(page).toContain(lifecycleTable(workSessionLifecycle));
  });

  test("shows what becomes of a task with its sessions", () => {
    const rows = cases.map(([name, status, sessions]) => [
      name,
      ...types.map((type) => becomes(type, status, sessions)),
    ]);
    expect(page).toContain(table(["its sessions", ...types.map((type) => `\`${type}\``)], rows));
  });

  test("shows what the end of a turn means", () => {
    const rows = types.map((taskType) => [`\`${taskType}\``, `\`${onTurnEndOf({ taskType, agentConfig: null })}\``]);
    expect(page).toContain(table(["task type", "on_turn_end"], rows));
  });

  test("states the limits", () => {
    expect(page).toContain(`${defaultLimits.attemptsMax} attempts`);
    expect(page).toContain(`at most ${defaultLimits.spawnDepthMax} others`);
    expect(page).toContain(`at most ${defaultLimits.workSessionsPerTaskMax} work sessions`);
  });
});
