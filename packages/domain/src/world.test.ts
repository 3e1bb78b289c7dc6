import { describe, expect, test } from "vitest";
import { systemWorld } from "./world.ts";

describe("the real world", () => {
  const world = systemWorld();

  test("makes ids of a prefix and 32 hexadecimal digits", () => {
    expect(world.newId("tsk")).toMatch(/^tsk_[0-9a-f]{32}$/);
  });

  test("makes ids that sort in the order in which they were made", () => {
    const ids = Array.from({ length: 1_000 }, () => world.newId("ws"));
    expect(ids).toEqual(ids.toSorted());
  });

  test("makes secrets of 256 bits that are safe in URLs and headers, no two alike", () => {
    const secrets = Array.from({ length: 100 }, () => world.newSecret());
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/);
    expect(new Set(secrets).size).toBe(100);
  });

  test("wakes a sleeper with the reason of its signal", async () => {
    const controller = new AbortController();
    const sleeping = world.sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    await expect(world.sleep(60_000, AbortSignal.abort(new Error("already")))).rejects.toThrow("already");
  });

  test("lets a sleeper sleep until its time", async () => {
    await expect(world.sleep(1)).resolves.toBeUndefined();
  });
});
