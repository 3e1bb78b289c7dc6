import { describe, expect, test } from "vitest";
import { CommandQueue } from "./command-queue.ts";

describe("a command queue", () => {
  test("does one thing after the other, also after one that failed", async () => {
    const queue = new CommandQueue();
    const gate = Promise.withResolvers<void>();
    const done: string[] = [];
    const failing = queue.run(async () => {
      await gate.promise;
      done.push("first");
      throw new Error("bad");
    });
    const second = queue.run(async () => void done.push("second"));
    gate.resolve();
    await expect(failing).rejects.toThrow("bad");
    await second;
    expect(done).toEqual(["first", "second"]);
  });
});
