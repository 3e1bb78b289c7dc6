import type { TokenUsage } from "./event.ts";

/** What two turns, or two requests of one turn, have cost together; the first may be unknown. */
export function sumOfUsages(first: TokenUsage | null | undefined, second: TokenUsage): TokenUsage {
  if (first === null || first === undefined) return second;
  return {
    total_tokens: first.total_tokens + second.total_tokens,
    input_tokens: first.input_tokens + second.input_tokens,
    output_tokens: first.output_tokens + second.output_tokens,
    thought_tokens: first.thought_tokens + second.thought_tokens,
    cached_read_tokens: first.cached_read_tokens + second.cached_read_tokens,
    cached_write_tokens: first.cached_write_tokens + second.cached_write_tokens,
  };
}
