import { describe, expect, test } from "vitest";
import { spawnDepthOf } from "./spawn-depth.ts";

const session = (id: string, parentWorkSessionId: string | null, spawnedBySessionId: string | null = null) => ({
  id,
  helixSessionId: `ses_${id}`,
  parentWorkSessionId,
  spawnedBySessionId,
});

describe("the depth of a spawn", () => {
  const siblings = [session("a", null), session("b", "a"), session("c", null, "ses_b"), session("d", "a", "ses_c")];

  test.each([
    [null, null, 0],
    [null, "ses_coordinator", 0],
    ["a", null, 1],
    [null, "ses_a", 1],
    ["b", "ses_b", 2],
    ["c", null, 3],
    ["a", "ses_c", 3],
    ["d", null, 4],
  ])("from parent %s and asker %s is %i", (parentWorkSessionId, spawnedBySessionId, depth) => {
    expect(spawnDepthOf({ parentWorkSessionId, spawnedBySessionId }, siblings)).toBe(depth);
  });
});
