import { sumOfUsages } from "@helix-zed/sync-protocol";
import { describe, expect, test } from "vitest";
import { usageOfChunk, usageOfTurn } from "./usage.ts";

const none = { thought_tokens: 0, cached_read_tokens: 0, cached_write_tokens: 0 };
const chunks = { total_tokens: 3, input_tokens: 2, output_tokens: 1, ...none };

describe("the usage of a turn", () => {
  test("is that of the response, where the agent tells it there", () => {
    const usage = { totalTokens: 10, inputTokens: 7, outputTokens: 3, thoughtTokens: null };
    const told = { total_tokens: 10, input_tokens: 7, output_tokens: 3, ...none };
    expect(usageOfTurn({ usage, _meta: { quota: { token_count: { input_tokens: 1 } } } }, chunks)).toEqual(told);
  });

  test("is the quota of the response, where that is told", () => {
    const meta = { quota: { token_count: { input_tokens: 7, output_tokens: 3 } } };
    expect(usageOfTurn({ usage: null, _meta: meta }, chunks)).toMatchObject({ total_tokens: 10, input_tokens: 7 });
  });

  test("is the sum of the pieces, where nothing else is told", () => {
    expect(usageOfTurn({}, sumOfUsages(chunks, chunks))).toMatchObject({
      total_tokens: 6,
      input_tokens: 4,
      output_tokens: 2,
    });
  });

  test("is unknown, not zero, where nobody tells it", () => {
    expect(usageOfTurn({ usage: {} }, undefined)).toBeUndefined();
    expect(usageOfTurn({ usage: { totalTokens: "many" } }, undefined)).toBeUndefined();
    expect(usageOfChunk({ durationMs: 3 })).toBeUndefined();
    expect(usageOfChunk(undefined)).toBeUndefined();
  });
});
