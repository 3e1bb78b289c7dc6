import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashPayload } from "./hash-payload.ts";

describe("the hash of a payload", () => {
  test("is the same whatever order its keys are in, at every depth", () => {
    expect(hashPayload({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(hashPayload({ b: [{ d: 3, c: 2 }], a: 1 }));
  });

  test("is another for another payload", () => {
    const different = [
      {},
      [],
      null,
      "",
      0,
      { a: 1 },
      { a: [1] },
      { a: "1" },
      [["a", 1]],
      { a: { b: 1 } },
      [1, 2],
      [2, 1],
    ];
    expect(new Set(different.map(hashPayload)).size).toBe(different.length);
  });

  test("tells apart what JSON tells apart, and nothing else", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [left, right]: unknown[] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
        expect(hashPayload(left)).toBe(hashPayload(structuredClone(left)));
        if (hashPayload(left) === hashPayload(right)) expect(left).toEqual(right);
      }),
    );
  });
});
