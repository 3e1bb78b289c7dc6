import { describe, expect, test } from "vitest";
import { classifyTurnError, saysThreadIsMissing } from "./editor-error.ts";
import { positionOf } from "./entry-place.ts";
import { defaultLimits as limits } from "./limits.ts";
import { hashToken, redact } from "./redact.ts";
import { afterExit } from "./restart-budget.ts";
import { sessionEndOf } from "./session-end.ts";
import { standingOf } from "./standing.ts";

describe("an editor's words", () => {
  test.each([
    ["Claude Agent process exited", true, "crashed"],
    ['agent "qwen" was killed by SIGKILL in mid-turn', true, "crashed"],
    ["Session not found", true, "crashed"],
    ["ACP connection closed", true, "crashed"],
    ["the model said 400", true, "refused"],
    ["agent exited", false, "crashed"],
    ['agent "qwen" exited with code 1 and did not start', false, "unavailable"],
    ['agent "nobody" is not configured', false, "unavailable"],
    ["the model is not available", false, "unavailable"],
  ] as const)("%s (thread: %s) mean that it %s", (error, hasThread, meaning) => {
    expect(classifyTurnError(error, { hasThread })).toBe(meaning);
  });

  test.each([
    ["no rollout found for thread id 7", true],
    ['Failed to load thread: no thread found with ID: SessionId("t-1")', true],
    ['no thread found with ID: SessionId("t-2")', false],
    ["Failed to load thread: Resource not found: ID { uri: thread/t-1 }", true],
    ["Failed to load thread: Resource not found: ID { uri: thread/t-2 }", false],
    ["Failed to load thread: timeout", false],
  ])("%s: missing for certain %s", (error, missing) => {
    expect(saysThreadIsMissing(error, "t-1")).toBe(missing);
  });
});

describe("an event of an older link", () => {
  const turn = { sentEpoch: 3, sentLaunch: 1 };

  test.each([
    ["the current link", { epoch: 4, turn: null }, "current"],
    ["the link that the turn was sent on", { epoch: 3, turn }, "afterword"],
    ["that link, about nothing", { epoch: 3, turn: null }, "fenced"],
    ["a link before it", { epoch: 2, turn }, "fenced"],
    ["that link, in an earlier launch", { epoch: 3, turn: { ...turn, sentLaunch: 0 } }, "fenced"],
    ["a link that there was not", { epoch: 5, turn }, "fenced"],
  ] as const)("of %s", (_, facts, standing) => {
    expect(standingOf({ linkEpoch: 4, launch: 1, ...facts })).toBe(standing);
  });
});

describe("a session ends with a turn", () => {
  test.each([
    ["completed", "", "complete", false, "completed"],
    ["completed", "", "complete", true, "completed"],
    ["completed", "", "idle", false, null],
    ["failed", "AGENT_ERROR", "complete", true, "failed"],
    ["failed", "AGENT_ERROR", "idle", false, null],
    ["failed", "AGENT_NOT_AVAILABLE", "idle", false, "failed"],
    ["interrupted", "CANCELLED", "complete", false, "cancelled"],
    ["interrupted", "CANCELLED", "complete", true, null],
    ["interrupted", "CANCELLED", "idle", false, null],
  ] as const)("that %s (%s) under %s, others waiting: %s, as %s", (status, reason, onTurnEnd, othersWait, outcome) => {
    expect(sessionEndOf({ status, reason, onTurnEnd, othersWait })).toBe(outcome);
  });
});

describe("a process that ends by itself", () => {
  test("is started again after pauses that double, and given up after five times in ten minutes", () => {
    let exits: number[] = [];
    const delaysMs: (number | null)[] = [];
    for (let minute = 0; minute < 6; minute++) {
      const now = new Date(minute * 60_000);
      const restart = afterExit(exits, now, limits);
      exits = restart.recentExits;
      delaysMs.push(restart.kind === "restart" ? restart.notBefore.getTime() - now.getTime() : null);
    }
    expect(delaysMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, null]);
    expect(afterExit(exits, new Date(60 * 60_000), limits).kind).toBe("restart");
  });
});

describe("what is stored", () => {
  const token = "k".repeat(43);

  test("has neither known secrets nor the instance's own token in it", () => {
    const text = `key=sk-12345678 token=${token} other=${"x".repeat(43)}`;
    expect(redact(text, { texts: ["sk-12345678", "no"], tokenHash: hashToken(token) })).toBe(
      `key=[redacted] token=[redacted] other=${"x".repeat(43)}`,
    );
  });

  test.each([
    ["0", 1],
    ["41", 42],
    ["", null],
    ["-1", null],
    ["1.5", null],
    ["summary", null],
    ["99999999999", null],
  ])("has the place that number %j stands for", (messageId, position) => {
    expect(positionOf(messageId)).toBe(position);
  });
});
