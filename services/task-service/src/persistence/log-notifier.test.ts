import { describe, expect, test } from "vitest";
import { LogNotifier } from "./log-notifier.ts";

/** A notifier whose pauses last until the test ends them. */
function notifier(intervalMs = 10) {
  const sent: number[] = [];
  const pauses: (() => void)[] = [];
  const send = async (head: number): Promise<void> => void sent.push(head);
  const sleep = (): Promise<void> => new Promise((resolve) => pauses.push(resolve));
  const { signal } = new AbortController();
  const told = new LogNotifier({ send, intervalMs, world: { sleep }, signal });
  const endPause = async (): Promise<void> => {
    await expect.poll(() => pauses.length).toBe(1);
    pauses.pop()?.();
  };
  return { told, sent, endPause };
}

describe("telling other processes how far the log goes", () => {
  test("happens at once, then once for all that comes meanwhile, with the last number", async () => {
    const { told, sent, endPause } = notifier();
    for (const head of [1, 2, 3]) told.tell(head);
    expect(sent).toEqual([1]);
    await endPause();
    await expect.poll(() => sent).toEqual([1, 3]);
    told.tell(4);
    await endPause();
    await expect.poll(() => sent).toEqual([1, 3, 4]);
  });

  test("is left out where others have told it", () => {
    const { told, sent } = notifier();
    told.heard(5);
    told.tell(5);
    expect(sent).toEqual([]);
    told.tell(6);
    expect(sent).toEqual([6]);
  });

  test("can be switched off", () => {
    const { told, sent } = notifier(Infinity);
    told.tell(1);
    expect(sent).toEqual([]);
  });
});
