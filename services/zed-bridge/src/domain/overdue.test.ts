import { describe, expect, test } from "vitest";
import { defaultLimits as limits } from "./limits.ts";
import { overdueOf, type OverdueFacts } from "./overdue.ts";

const now = new Date("2026-01-01T12:00:00Z");
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const long = ago(24 * 60 * 60 * 1_000);

type Turn = NonNullable<OverdueFacts["turn"]>;

const sent: Turn = { status: "sent", sentAt: ago(200_000), sentEpoch: 5, stalled: false, cancelRequestedAt: null };
const running: Turn = { ...sent, status: "running", sentAt: ago(1_000_000) };
const thread = { zedThreadId: "t", openedEpoch: 5, openSentEpoch: 5, openSentAt: ago(1), lastActivityAt: ago(500_000) };
const creating = { ...thread, zedThreadId: null, openedEpoch: 0, openSentEpoch: 0 };
const closed = { ...thread, openedEpoch: 4, openSentAt: ago(limits.openTimeoutMs + 1) };
const link = { connected: true, epoch: 5, connectedAt: long };
const free = { blocked: false, freeSince: null };

function overdue(facts: Partial<OverdueFacts>) {
  return overdueOf({ thread, turn: null, link, queue: free, toolRuns: false, ...facts }, limits, now);
}

describe("overdue is", () => {
  test.each([
    ["nothing in a quiet thread", {}, null],
    ["a new thread that is not named", { thread: creating, turn: sent }, "thread"],
    [
      "a new thread, on a later link than it was asked for",
      { thread: creating, turn: { ...sent, sentEpoch: 4 } },
      "resend",
    ],
    ["a turn without a sign", { turn: sent }, "stall"],
    ["nothing when that is known", { turn: { ...sent, stalled: true } }, null],
    ["a turn that an earlier link may have lost", { turn: { ...sent, sentEpoch: 4 } }, "resend"],
    ["nothing while the editor's queue is blocked", { turn: sent, queue: { blocked: true, freeSince: null } }, null],
    ["nothing soon after it was", { turn: sent, queue: { blocked: false, freeSince: ago(1_000) } }, null],
    ["nothing while nobody is connected", { turn: sent, link: { ...link, connected: false } }, null],
    ["nothing soon after a connect", { turn: sent, link: { ...link, connectedAt: ago(1_000) } }, null],
    ["a running turn that is silent", { turn: running }, "stall"],
    ["nothing while a tool runs", { turn: running, toolRuns: true }, null],
    ["nothing while somebody is asked", { turn: { ...running, status: "waiting" } }, null],
    ["a turn that takes longer than any may", { turn: { ...running, sentAt: long } }, "turn"],
    ["a cancel that is not answered", { turn: { ...running, cancelRequestedAt: ago(60_000) } }, "cancel"],
    [
      "that also without a connection",
      { turn: { ...running, cancelRequestedAt: long }, link: { ...link, connected: false } },
      "cancel",
    ],
    ["a thread that does not open", { thread: closed, turn: running }, "open"],
    ["nothing of its turn meanwhile", { thread: { ...closed, openSentAt: ago(1) }, turn: running }, null],
  ] as const)("%s", (_, facts, expected) => {
    expect(overdue(facts)).toBe(expected);
  });
});
