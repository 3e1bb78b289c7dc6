import { beforeEach, describe, expect, test } from "vitest";
import { type RunningCall, RunningCalls } from "./running-calls.ts";

let calls: RunningCalls;

beforeEach(() => {
  calls = new RunningCalls({ rate: { perSecond: 1, burst: 3 }, requestsMax: 2, callsMax: 1 });
});

function begin(id: unknown, holder = "a"): RunningCall {
  const call = calls.begin(holder, { jsonrpc: "2.0", id, method: "tools/call" }, 0);
  if (call === null) throw new Error("no room");
  return call;
}

const cancellation = (requestId: unknown) => ({ method: "notifications/cancelled", params: { requestId } });

describe("running calls", () => {
  test("are cancelled by who asked, by their id, and by nobody else", () => {
    const call = begin(7);
    calls.cancel("b", cancellation(7));
    calls.cancel("a", cancellation("7"));
    calls.cancel("a", { method: "notifications/cancelled" });
    calls.cancel("a", { method: "tools/call", params: { requestId: 7 } });
    expect(call.signal.aborted).toBe(false);
    calls.cancel("a", cancellation(7));
    expect(call.signal.aborted).toBe(true);
  });

  test("are as many as there may be, and the next finds room when one has ended", () => {
    const call = begin(1);
    expect(calls.begin("a", {}, 0)).toBeNull();
    begin(1, "b");
    call.end();
    begin(2);
  });

  test("have their id from the newest with it: an agent that connects anew counts from the beginning", () => {
    calls = new RunningCalls({ rate: { perSecond: 1, burst: 3 }, requestsMax: 2, callsMax: 5 });
    const [earlier, later] = [begin(1), begin(1)];
    calls.cancel("a", cancellation(1));
    expect([earlier.signal.aborted, later.signal.aborted]).toEqual([false, true]);
    later.end();
    calls.abortAll();
    expect(earlier.signal.aborted).toBe(true);
  });
});

/** A request that is over at once; gives how long it has to wait instead. */
function passThrough(nowMs: number): number {
  const waitMs = calls.enter("a", nowMs);
  if (waitMs === 0) calls.leave("a");
  return waitMs;
}

describe("requests", () => {
  test("are let in as fast as they may come, and told when to come again", () => {
    const first = Array.from({ length: 6 }, () => passThrough(0));
    expect(first.filter((waitMs) => waitMs === 0).length).toBeLessThanOrEqual(4);
    expect(first.at(-1)).toBe(1_000);
    expect(passThrough(1_000)).toBe(0);
  });

  test("find no room while others of the same agent are open, and leave nothing behind when they are over", () => {
    expect([calls.enter("a", 0), calls.enter("a", 0)]).toEqual([0, 0]);
    expect(calls.enter("a", 0)).toBe(1_000);
    expect(calls.enter("b", 0)).toBe(0);
    calls.leave("a");
    calls.leave("a");
    calls.leave("b");
    calls.enter("c", 60_000);
    expect(calls.holders).toBe(1);
  });
});
