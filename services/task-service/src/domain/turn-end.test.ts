import { describe, expect, test } from "vitest";
import { firstPromptOf, projectPathOf } from "./first-prompt.ts";
import type { TaskType } from "./task-lifecycle.ts";
import { type OnTurnEnd, onTurnEndOf } from "./turn-end.ts";

describe("the end of a turn", () => {
  test.each<[TaskType, OnTurnEnd]>([
    ["batch", "complete"],
    ["interactive", "idle"],
    ["coding_session", "idle"],
  ])("means for a session of a %s task: %s", (taskType, expected) => {
    expect(onTurnEndOf({ taskType, agentConfig: null })).toBe(expected);
    expect(onTurnEndOf({ taskType, agentConfig: {} })).toBe(expected);
  });

  test("means what the session says, if it says something", () => {
    expect(onTurnEndOf({ taskType: "batch", agentConfig: { on_turn_end: "idle" } })).toBe("idle");
    expect(onTurnEndOf({ taskType: "interactive", agentConfig: { on_turn_end: "complete" } })).toBe("complete");
  });
});

describe("the first prompt", () => {
  const session = { agentConfig: { prompt: "Do this" }, description: "It is to do", name: "it" };
  const task = { description: "All is to do" };

  test("is the session's own, else its description, else the task's, else its name", () => {
    expect(firstPromptOf(session, task)).toBe("Do this");
    expect(firstPromptOf({ ...session, agentConfig: null }, task)).toBe("It is to do");
    expect(firstPromptOf({ ...session, agentConfig: {}, description: "" }, task)).toBe("All is to do");
    expect(firstPromptOf({ ...session, agentConfig: {}, description: "" }, { description: "" })).toBe("it");
  });
});

describe("the project path", () => {
  test("is the session's own, else the task's", () => {
    expect(projectPathOf({ environmentConfig: { project_path: "/a" } }, { projectPath: "/b" })).toBe("/a");
    expect(projectPathOf({ environmentConfig: {} }, { projectPath: "/b" })).toBe("/b");
    expect(projectPathOf({ environmentConfig: null }, { projectPath: "" })).toBe("");
  });
});
