import { describe, expect, test } from "vitest";
import { defaultLimits as limits } from "./limits.ts";
import { overdueOf, type OverdueFacts } from "./overdue.ts";

const now = new Date("2026-01-01T12:00:00Z");
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const long = ago(24 * 60 * 60 * 1_000);

type Turn = NonNullable<OverdueFacts["turn"]>;

const sent: Turn = {
  status: "sent",
  sentAt: ago(200_000),
  sentEpoch: 5,
  stalled: false,
  cancelRequestedAt: null,
  receivedAt: null,
  heardEpoch: 0,
  probeEpoch: 0,
  probeCancelledAt: null,
};
const lost: Turn = { ...sent, sentEpoch: 4 };
const running: Turn = { ...sent, status: "running", sentAt: ago(1_000_000) };
const waiting: Turn = { ...running, status: "waiting" };
const thread = { zedThreadId: "t", openedEpoch: 5, openSentEpoch: 5, openSentAt: ago(1), lastActivityAt: ago(500_000) };
const creating = { ...thread, zedThreadId: null, openedEpoch: 0, openSentEpoch: 0 };
const closed = { ...thread, openedEpoch: 4, openSentAt: ago(limits.openTimeoutMs + 1) };
const link = { connected: true, epoch: 5, connectedAt: long };
const free = { blocked: false, freeSince: null };

function overdue(facts: Partial<OverdueFacts>) {
  const quiet = { thread, turn: null, link, queue: free, toolRuns: false, keepsEvents: false };
  return overdueOf({ ...quiet, ...facts }, limits, now);
}

describe("overdue is", () => {
  test.each([
    ["nothing in a quiet thread", {}, null],
    ["a new thread that is not named", { thread: creating, turn: sent }, "thread"],
    ["a new thread, on a later link than it was asked for", { thread: creating, turn: lost }, "probe"],
    ["the answer to what was asked after it", { thread: creating, turn: { ...lost, probeEpoch: 5 } }, "mute"],
    ["a turn without a sign", { turn: sent }, "stall"],
    ["nothing while somebody is asked", { turn: waiting, toolRuns: true }, null],
    [
      "a turn whose question nobody answers",
      { turn: waiting, thread: { ...thread, lastActivityAt: long } },
      "unanswered",
    ],
    ["nothing when that is known", { turn: { ...sent, stalled: true } }, null],
    ["a turn that an earlier link may have lost", { turn: lost }, "probe"],
    ["the same with an editor that takes a prompt once", { turn: lost, keepsEvents: true }, "resend"],
    [
      "that soon after a connect",
      { turn: lost, keepsEvents: true, link: { ...link, connectedAt: ago(limits.resendDelayMs + 1) } },
      "resend",
    ],
    ["not that if it is known to be there", { turn: { ...lost, receivedAt: long }, keepsEvents: true }, "stall"],
    ["not that if it was heard of", { turn: { ...lost, heardEpoch: 4 }, keepsEvents: true }, "stall"],
    ["a turn whose end an earlier link may have lost", { turn: { ...running, sentEpoch: 4 } }, "probe"],
    [
      "nothing soon after it was asked after",
      {
        turn: { ...running, sentEpoch: 4, stalled: true, probeEpoch: 5 },
        thread: { ...thread, lastActivityAt: ago(limits.silenceTimeoutMs + 1_000) },
      },
      null,
    ],
    ["the answer to that", { turn: { ...running, sentEpoch: 4, stalled: true, probeEpoch: 5 } }, "mute"],
    ["no such turn if it was heard of since", { turn: { ...running, sentEpoch: 4, heardEpoch: 5 } }, "stall"],
    [
      "no such turn of an editor that loses nothing",
      { turn: { ...running, sentEpoch: 4 }, keepsEvents: true },
      "stall",
    ],
    ["nothing of it while a tool runs", { turn: { ...running, sentEpoch: 4 }, toolRuns: true }, null],
    [
      "a stop that was not told",
      { turn: { ...running, probeCancelledAt: ago(limits.cancelTimeoutMs + 1) } },
      "stopped",
    ],
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
