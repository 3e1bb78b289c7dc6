import fc from "fast-check";
import { sized } from "@helix-zed/harness/test-size.ts";
import { expect } from "vitest";
import { type Answer, problemOf } from "./answer.ts";
import type { KnownTexts } from "./known-texts.ts";

/** How long all of one service may take, also on a slow machine. */
export const PATIENCE_MS: number = sized({ normal: 600_000, full: 3_000_000 });

/** One thing to throw at, and what is thrown. */
export interface Target<Input> {
  readonly name: string;
  readonly garbage: fc.Arbitrary<Input>;
  readonly send: (input: Input) => Promise<Answer>;
}

/** Throws so much at each of these side by side, learns from what is answered, and fails at the first answer that is no good one. */
export async function pelt<Input>(
  targets: readonly Target<Input>[],
  { requests, known }: { readonly requests: number; readonly known: KnownTexts },
): Promise<void> {
  const codes = new Map<string, number>();
  const peltOne = ({ name, garbage, send }: Target<Input>): Promise<void> => {
    const property = fc.asyncProperty(garbage, async (input) => {
      const answer = await send(input);
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
      if (answer.code === "ok") known.learnFrom(answer.text);
      const problem = problemOf(answer);
      if (problem !== undefined) throw new Error(`${name}: ${problem}`);
    });
    return fc.assert(property, { numRuns: requests });
  };
  // What deletes comes last: there must be something to ask about until then.
  const { last = [], first = [] } = Object.groupBy(targets, ({ name }) =>
    name.startsWith("Delete") ? "last" : "first",
  );
  await Promise.all(first.map(peltOne));
  await Promise.all(last.map(peltOne));
  expectSense(codes, targets.length * requests);
}

function expectSense(codes: ReadonlyMap<string, number>, requests: number): void {
  const answers = [...codes.values()].reduce((sum, count) => sum + count, 0);
  expect(answers).toBe(requests);
  // Nonsense was refused at the door, and some of it got further in.
  expect(codes.get("invalid_argument")).toBeGreaterThan(0);
  expect(codes.get("not_found")).toBeGreaterThan(0);
  expect(codes.get("ok")).toBeGreaterThan(0);
}
