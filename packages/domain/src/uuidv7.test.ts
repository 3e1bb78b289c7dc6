import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createUuidv7 } from "./uuidv7.ts";

function times(clock: readonly number[]): { next: () => string } {
  const readings = [...clock];
  return { next: createUuidv7({ nowMs: () => readings.shift() ?? clock.at(-1) ?? 0, randomBytes }) };
}

describe("a UUID of version 7", () => {
  test("begins with the time and has the version and variant of RFC 9562", () => {
    const uuid = times([0x0123_4567_89ab]).next();
    expect(uuid).toMatch(/^0123456789ab7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  test("rises strictly, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 2, maxLength: 50 }), (clock) => {
        const { next } = times(clock);
        const uuids = clock.map(() => next());
        expect(uuids).toEqual(uuids.toSorted());
        expect(new Set(uuids).size).toBe(uuids.length);
      }),
    );
  });

  test("rises strictly also when more are made in a millisecond than the counter holds", () => {
    const { next } = times([1_000]);
    const uuids = Array.from({ length: 20_000 }, () => next());
    expect(uuids).toEqual(uuids.toSorted());
    expect(new Set(uuids).size).toBe(uuids.length);
  });
});
