import { describe, expect, test } from "vitest";
import { nextCommand, type NextCommandFacts, type ThreadFacts, type TurnFacts } from "./next-command.ts";

const now = new Date("2026-01-01T00:00:00Z");
const ago = (ms: number): Date => new Date(now.getTime() - ms);

const alive: ThreadFacts = {
  status: "active",
  leased: true,
  zedThreadId: "thread-1",
  openedEpoch: 5,
  openSentEpoch: 0,
  openNotBefore: null,
};
const unnamed: ThreadFacts = { ...alive, status: "pending", zedThreadId: null, openedEpoch: 0 };
const dropped: ThreadFacts = { ...alive, status: "disconnected", openedEpoch: 4 };

function turn(number: number, facts: Partial<TurnFacts> = {}): TurnFacts {
  const rest = { interrupt: false, sentAt: null, cancelRequestedAt: null, cancelSentEpoch: 0 };
  const probe = { probeEpoch: 0, probeSentEpoch: 0 };
  return { id: `trn_${number}`, number, status: "queued", ...rest, ...probe, ...facts };
}

function next(facts: Partial<NextCommandFacts>) {
  const link = { epoch: 5, ready: true };
  return nextCommand({ thread: alive, turns: [], link, now, ...facts }, { cancelDelayMs: 5_000 });
}

const running = turn(1, { status: "running", sentAt: ago(60_000) });
const sentNow = turn(1, { status: "sent", sentAt: ago(10) });
const stop = { cancelRequestedAt: ago(1) };

describe("the next command of a thread is", () => {
  test.each([
    ["nothing without a turn", {}, null],
    ["to send the oldest turn", { turns: [turn(3), turn(2)] }, { kind: "send", turnId: "trn_2" }],
    [
      "to send the one that interrupts first",
      { turns: [turn(2), turn(3, { interrupt: true })] },
      { kind: "send", turnId: "trn_3" },
    ],
    ["nothing while a turn runs", { turns: [running, turn(2)] }, null],
    [
      "to ask after a turn that is to be asked after",
      { turns: [{ ...running, probeEpoch: 5 }, turn(2)] },
      { kind: "probe", turnId: "trn_1" },
    ],
    ["not to ask twice on one link", { turns: [{ ...running, probeEpoch: 5, probeSentEpoch: 5 }] }, null],
    ["not to ask on another link than it was meant for", { turns: [{ ...running, probeEpoch: 4 }] }, null],
    ["nothing without a lease", { thread: { ...alive, leased: false }, turns: [turn(2)] }, null],
    ["nothing in a thread that has ended", { thread: { ...alive, status: "failed" }, turns: [turn(2)] }, null],
    ["to open a thread that was dropped", { thread: dropped, turns: [turn(2)] }, { kind: "open" }],
    ["to open it also without a turn", { thread: dropped }, { kind: "open" }],
    ["nothing while it is being opened", { thread: { ...dropped, openSentEpoch: 5 }, turns: [turn(2)] }, null],
    ["nothing before it may be opened again", { thread: { ...dropped, openNotBefore: ago(-1) } }, null],
    [
      "to begin a thread when the editor is ready",
      { thread: unnamed, turns: [turn(1)] },
      { kind: "send", turnId: "trn_1" },
    ],
    ["nothing when it is not", { thread: unnamed, turns: [turn(1)], link: { epoch: 5, ready: false } }, null],
    [
      "the oldest turn where there is no thread yet, whoever interrupts",
      { thread: unnamed, turns: [turn(1), turn(2, { interrupt: true })] },
      { kind: "send", turnId: "trn_1" },
    ],
    ["one creation at a time", { thread: unnamed, turns: [sentNow, turn(2)] }, null],
    ["to stop a turn that has begun", { turns: [{ ...running, ...stop }] }, { kind: "cancel", turnId: "trn_1" }],
    ["not to stop one that has not", { turns: [{ ...sentNow, ...stop }] }, null],
    [
      "to stop one that does not begin",
      { turns: [{ ...sentNow, ...stop, sentAt: ago(5_000) }] },
      { kind: "cancel", turnId: "trn_1" },
    ],
    ["not to stop it twice on one link", { turns: [{ ...running, ...stop, cancelSentEpoch: 5 }] }, null],
    [
      "to stop it again on the next",
      { turns: [{ ...running, ...stop, cancelSentEpoch: 4 }] },
      { kind: "cancel", turnId: "trn_1" },
    ],
    [
      "not to stop one in a thread without a name",
      { thread: unnamed, turns: [{ ...sentNow, ...stop, sentAt: ago(60_000) }] },
      null,
    ],
    [
      "to stop what was given up, also in a thread that has ended",
      { thread: { ...alive, status: "completed" }, turns: [turn(1, { status: "interrupted", ...stop })] },
      { kind: "cancel", turnId: "trn_1" },
    ],
    [
      "never to stop what was given up while another turn runs",
      { turns: [turn(1, { status: "interrupted", ...stop }), { ...running, id: "trn_2", number: 2 }] },
      null,
    ],
  ] as const)("%s", (_, facts, command) => {
    expect(next(facts)).toEqual(command);
  });
});
