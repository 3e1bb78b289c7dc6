import { describe, expect, test } from "vitest";
import { Doorbell } from "./doorbell.ts";
import { type Batch, type Followed, followLog, type FollowOptions } from "./follow-log.ts";

const never = new AbortController().signal;

/** A log of numbers that rings when something is added. */
class NumberLog {
  readonly bell = new Doorbell();
  readonly numbers: number[] = [];
  reads = 0;

  add(...numbers: number[]): void {
    this.numbers.push(...numbers);
    this.bell.ring();
  }

  follow(more: Partial<FollowOptions<number, number>> = {}) {
    const read = async (cursor: number): Promise<Batch<number, number>> => {
      this.reads++;
      const items = this.numbers.slice(cursor, cursor + 2);
      const next = cursor + items.length;
      return { items, cursor: next, more: next < this.numbers.length, ended: items.includes(0) };
    };
    const ear = this.bell.listen();
    return followLog({ from: 0, read, ear, pollMs: 60_000, heartbeatMs: 60_000, signal: never, ...more });
  }
}

function itemOf(step: IteratorResult<Followed<number, number>, void>): unknown {
  if (step.done === true) return "ended";
  return step.value.kind === "item" ? step.value.item : `progress ${step.value.cursor}`;
}

describe("following a log", () => {
  test("gives what is there, then what comes, in order", async () => {
    const log = new NumberLog();
    log.add(1, 2, 3);
    const steps = log.follow();
    for (const expected of [1, 2, 3]) expect(itemOf(await steps.next())).toBe(expected);
    const next = steps.next();
    log.add(4, 5);
    expect(itemOf(await next)).toBe(4);
    expect(itemOf(await steps.next())).toBe(5);
    await steps.return();
  });

  test("looks by itself when nobody rings", async () => {
    const log = new NumberLog();
    const steps = log.follow({ pollMs: 10 });
    const next = steps.next();
    log.numbers.push(7);
    expect(itemOf(await next)).toBe(7);
    await steps.return();
  });

  test("says that there is nothing, with the cursor that it has come to", async () => {
    const log = new NumberLog();
    log.add(1);
    const steps = log.follow({ heartbeatMs: 20 });
    expect(itemOf(await steps.next())).toBe(1);
    expect(itemOf(await steps.next())).toBe("progress 1");
    expect(itemOf(await steps.next())).toBe("progress 1");
    await steps.return();
  });

  test("reads no further than its reader has taken", async () => {
    const log = new NumberLog();
    log.add(...Array.from({ length: 1_000 }, (_, index) => index + 1));
    const steps = log.follow();
    await steps.next();
    log.bell.ring();
    expect(log.reads).toBe(1);
    await steps.return();
  });

  test("ends when the log says so, after its last items", async () => {
    const log = new NumberLog();
    log.add(1, 0);
    const steps = log.follow();
    expect([itemOf(await steps.next()), itemOf(await steps.next()), itemOf(await steps.next())]).toEqual([
      1,
      0,
      "ended",
    ]);
  });

  test("ends with the reason of its signal", async () => {
    const stop = new AbortController();
    const next = new NumberLog().follow({ signal: stop.signal }).next();
    stop.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });
});
