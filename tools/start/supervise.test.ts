import { describe, expect, test } from "vitest";
import { RestartBudget } from "./restart-budget.ts";
import { Supervisor, type Running } from "./supervise.ts";

/** Something that runs until it is told to end. */
function fakeRunning(): Running & { end(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): Promise<void> => {
    resolve();
    return promise;
  };
  return { exited: promise, lastWords: () => "it fell over", stop, end: resolve };
}

describe("a supervisor", () => {
  test("starts again what ended, and stops what runs then", async () => {
    const [first, second] = [fakeRunning(), fakeRunning()];
    const lines: string[] = [];
    const restarted = Promise.withResolvers<void>();
    const supervisor = new Supervisor(first, {
      name: "echo",
      restart: () => Promise.resolve(second),
      report: (line) => {
        lines.push(line);
        if (line === "echo runs again.") restarted.resolve();
      },
      giveUp: () => expect.unreachable(),
    });
    first.end();
    await restarted.promise;
    await supervisor.stop();
    expect(lines).toEqual(["echo ended: it fell over (starting it again)", "echo runs again."]);
  });

  test("does not start again what it was told to stop", async () => {
    const supervisor = new Supervisor(fakeRunning(), {
      name: "echo",
      restart: () => expect.unreachable(),
      report: () => expect.unreachable(),
      giveUp: () => expect.unreachable(),
    });
    await supervisor.stop();
  });

  test("stops while it waits for the next attempt", async () => {
    const first = fakeRunning();
    const failed = Promise.withResolvers<void>();
    const supervisor = new Supervisor(first, {
      name: "echo",
      restart: () => Promise.reject(new Error("the port is taken")),
      report: (line) => line.startsWith("the port is taken") && failed.resolve(),
      giveUp: () => expect.unreachable(),
    });
    first.end();
    await failed.promise;
    await supervisor.stop();
  });
});

describe("a restart budget", () => {
  const limits = { restartsMax: 3, windowMs: 1_000, delayMinMs: 10, delayMaxMs: 30 };

  test("waits longer each time and is used up in the end", () => {
    const budget = new RestartBudget(limits);
    expect([0, 1, 2, 3].map((nowMs) => budget.delayAfterCrash(nowMs))).toEqual([10, 20, 30, undefined]);
  });

  test("forgets what is long ago", () => {
    const budget = new RestartBudget(limits);
    for (const nowMs of [0, 1, 2]) budget.delayAfterCrash(nowMs);
    expect(budget.delayAfterCrash(1_001)).toBe(20);
  });
});
