import { describe, expect, test } from "vitest";
import { AttemptLimiter } from "./attempt-limiter.ts";
import { TokenBucket } from "./token-bucket.ts";

describe("a token bucket", () => {
  test("gives its burst at once, and then as much as fills", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
    bucket.take(5, 0);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.take(1, 0);
    expect(bucket.waitMs(0)).toBe(100);
    expect(bucket.waitMs(60)).toBe(40);
    expect(bucket.waitMs(100)).toBe(0);
  });

  test("holds no more than its burst, and takes no harm of a clock that goes back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
    bucket.take(6, 1_000_000);
    expect(bucket.waitMs(1_000_000)).toBe(100);
    expect(bucket.waitMs(0)).toBe(100);
    expect(bucket.isFull(2_000_000)).toBe(true);
  });
});

describe("failed attempts to connect", () => {
  const perInstance = { perSecond: 1, burst: 3 };
  const perAddress = { perSecond: 1, burst: 5 };

  test("are counted for each instance that is tried, and for all of an address together", () => {
    const limiter = new AttemptLimiter({ perInstance, perAddress });
    for (let times = 0; times < 4; times++) limiter.failed({ address: "a", presentedId: "zed_1" }, 0);
    expect(limiter.waitMs({ address: "a", presentedId: "zed_1" }, 0)).toBe(1_000);
    expect(limiter.waitMs({ address: "a", presentedId: "zed_2" }, 0)).toBe(0);
    for (let times = 0; times < 2; times++) limiter.failed({ address: "a", presentedId: `zed_${times}` }, 0);
    expect(limiter.waitMs({ address: "a", presentedId: "zed_2" }, 0)).toBe(1_000);
    expect(limiter.waitMs({ address: "b", presentedId: "zed_1" }, 0)).toBe(0);
    expect(limiter.waitMs({ address: "a", presentedId: "zed_2" }, 1_000)).toBe(0);
  });

  test("of ever new names are forgotten as soon as they may be", () => {
    const limiter = new AttemptLimiter({ perInstance, perAddress, keysMax: 10 });
    for (let name = 0; name < 1_000; name++) limiter.failed({ address: `a${name}`, presentedId: `zed_${name}` }, name);
    expect(limiter.size).toBeLessThanOrEqual(10);
  });
});
