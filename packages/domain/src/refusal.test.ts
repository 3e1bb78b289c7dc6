import { describe, expect, test } from "vitest";
import { Refusal } from "./refusal.ts";

describe("a refusal", () => {
  test("says why, to programs and to people", () => {
    const refusal = new Refusal("TASK_NOT_FOUND", "There is no such task.", { task: "tsk_1" });
    expect(refusal).toMatchObject({ reason: "TASK_NOT_FOUND", message: "There is no such task." });
    expect(refusal.metadata).toEqual({ task: "tsk_1" });
  });

  test("says no more than it was given", () => {
    expect(new Refusal("NO", "No.")).toMatchObject({
      metadata: {},
      violations: [],
      resource: undefined,
      retryAfterMs: undefined,
    });
  });

  test("carries violations, the resource and when to try again", () => {
    const extras = {
      violations: [{ field: "name", description: "must not be empty" }],
      resource: { type: "Task", name: "tsk_1" },
      retryAfterMs: 500,
    };
    expect(new Refusal("NO", "No.", {}, extras)).toMatchObject(extras);
  });
});
