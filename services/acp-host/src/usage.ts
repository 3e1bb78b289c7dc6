import type { TokenUsage } from "@helix-zed/sync-protocol";
import { z } from "zod";

// Usage: how many tokens a turn took.
//
// Agents tell it in three places: `usage` of the prompt's response (claude, codex,
// opencode), `_meta.quota.token_count` of that response (gemini), or `_meta.usage`
// of otherwise empty message pieces, one for each model request (qwen). The first
// that is there counts, because an agent which fills two of them says the same twice.
// Nothing told is `undefined`, never zero.

const count = z.number().nonnegative().transform(Math.round).nullish().catch(undefined);

const camelUsage = z.looseObject({
  totalTokens: count,
  inputTokens: count,
  outputTokens: count,
  thoughtTokens: count,
  cachedReadTokens: count,
  cachedWriteTokens: count,
});
const chunkMeta = z.looseObject({ usage: camelUsage });
const quotaMeta = z.looseObject({
  quota: z.looseObject({ token_count: z.looseObject({ input_tokens: count, output_tokens: count }) }),
});

/** The usage in the `_meta` of a message piece. */
export function usageOfChunk(meta: unknown): TokenUsage | undefined {
  const parsed = chunkMeta.safeParse(meta);
  return parsed.success ? fromCamel(parsed.data.usage) : undefined;
}

/** The usage of a turn, from its response or else from the sum of its pieces. */
export function usageOfTurn(
  { usage, _meta: meta }: { readonly usage?: unknown; readonly _meta?: unknown },
  chunks: TokenUsage | undefined,
): TokenUsage | undefined {
  const told = camelUsage.safeParse(usage);
  return (told.success ? fromCamel(told.data) : undefined) ?? usageOfQuota(meta) ?? chunks;
}

function fromCamel(usage: z.infer<typeof camelUsage>): TokenUsage | undefined {
  if ((usage.inputTokens ?? usage.outputTokens ?? usage.totalTokens ?? undefined) === undefined) return undefined;
  const [input, output] = [usage.inputTokens ?? 0, usage.outputTokens ?? 0];
  return {
    total_tokens: usage.totalTokens ?? input + output,
    input_tokens: input,
    output_tokens: output,
    thought_tokens: usage.thoughtTokens ?? 0,
    cached_read_tokens: usage.cachedReadTokens ?? 0,
    cached_write_tokens: usage.cachedWriteTokens ?? 0,
  };
}

function usageOfQuota(meta: unknown): TokenUsage | undefined {
  const parsed = quotaMeta.safeParse(meta);
  if (!parsed.success) return undefined;
  const { input_tokens: inputTokens, output_tokens: outputTokens } = parsed.data.quota.token_count;
  return fromCamel({ inputTokens, outputTokens });
}
