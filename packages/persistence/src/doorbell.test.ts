import { describe, expect, test } from "vitest";
import { Doorbell } from "./doorbell.ts";

const never = new AbortController().signal;
const LONG_MS = 60_000;

describe("a doorbell", () => {
  test("wakes those who wait for its topic, and those who listen to all", async () => {
    const bell = new Doorbell();
    const woken: string[] = [];
    const ears = [bell.listen("a"), bell.listen("b"), bell.listen()];
    const waits = ["a", "b", "all"].map((name, index) =>
      ears[index]?.wait(LONG_MS, never).then(() => woken.push(name)),
    );
    bell.ring("a");
    await Promise.all([waits[0], waits[2]]);
    expect(woken).toEqual(["a", "all"]);
    bell.ring();
    await waits[1];
    expect(woken).toEqual(["a", "all", "b"]);
  });

  test("keeps a ring that comes between two waits, however many there were, for the next one", async () => {
    const bell = new Doorbell();
    const ear = bell.listen();
    bell.ring();
    bell.ring();
    await ear.wait(LONG_MS, never);
    const startedMs = performance.now();
    await ear.wait(30, never);
    expect(performance.now() - startedMs).toBeGreaterThan(20);
  });

  test("gives up a wait with the reason of its signal", async () => {
    const ear = new Doorbell().listen();
    const stop = new AbortController();
    const wait = ear.wait(LONG_MS, stop.signal);
    stop.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    await expect(ear.wait(LONG_MS, stop.signal)).rejects.toThrow("enough");
  });

  test("forgets who has closed its ear", async () => {
    const bell = new Doorbell();
    const ear = bell.listen();
    ear.close();
    bell.ring();
    const startedMs = performance.now();
    await ear.wait(30, never);
    expect(performance.now() - startedMs).toBeGreaterThan(20);
  });
});
