import type { Limits } from "./limits.ts";
import { isThreadOver, type ThreadStatus } from "./thread-mapping.ts";
import { isInFlight, isTurnOver, type TurnStatus } from "./turn.ts";

// The next command of a thread
//
// One decision for every frame that goes to an editor, from facts alone, so that it can be taken again at any time:
//
//   a turn that was given up while the editor had it   → cancel it, unless another runs by now
//   known thread, not opened on this link              → open_thread, then wait for a sign of life
//   a turn in flight that is to stop                   → cancel it, once it has begun (or will not)
//   a turn in flight that is to be asked after         → cancel it: the answer tells whether it was at work
//   a turn in flight                                   → nothing
//   a turn waits, thread known and alive               → chat_message to the thread
//   a turn waits, no thread yet, editor ready          → chat_message without a thread: makes one
//
// In a thread that does not exist yet the oldest turn goes first; later those that interrupt go before the others.

/** A thread, as far as the next command depends on it. */
export interface ThreadFacts {
  readonly status: ThreadStatus;
  readonly leased: boolean;
  readonly zedThreadId: string | null;
  readonly openedEpoch: number;
  readonly openSentEpoch: number;
  readonly openNotBefore: Date | null;
}

/** A turn, as far as the next command depends on it. */
export interface TurnFacts {
  readonly id: string;
  readonly number: number;
  readonly status: TurnStatus;
  readonly interrupt: boolean;
  readonly sentAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  readonly cancelSentEpoch: number;
  readonly probeEpoch: number;
  readonly probeSentEpoch: number;
}

/** The link that the commands are for. */
export interface LinkFacts {
  readonly epoch: number;
  readonly ready: boolean;
}

/** What is due. */
export type NextCommand =
  | { readonly kind: "open" }
  | { readonly kind: "cancel"; readonly turnId: string }
  | { readonly kind: "probe"; readonly turnId: string }
  | { readonly kind: "send"; readonly turnId: string };

/** Everything the decision is taken from. */
export interface NextCommandFacts {
  readonly thread: ThreadFacts;
  /** Turns that have not ended, and those that were given up and are to be cancelled still. */
  readonly turns: readonly TurnFacts[];
  readonly link: LinkFacts;
  readonly now: Date;
}

/** The command that is due in a thread, or `null`. */
export function nextCommand(facts: NextCommandFacts, limits: Pick<Limits, "cancelDelayMs">): NextCommand | null {
  const { thread, turns, link, now } = facts;
  const current = turns.find(({ status }) => isInFlight(status));
  const givenUp = turns.find(({ status, cancelSentEpoch }) => isTurnOver(status) && cancelSentEpoch === 0);
  if (givenUp !== undefined && current === undefined) return { kind: "cancel", turnId: givenUp.id };
  if (isThreadOver(thread.status) || !thread.leased) return null;
  const alive = thread.zedThreadId !== null && thread.openedEpoch === link.epoch;
  if (thread.zedThreadId !== null && !alive) return opening(thread, link, now);
  if (current !== undefined) return cancelling(current, { alive, link, now }, limits);
  const first = firstWaiting(turns, alive);
  if (first === undefined || !(alive || link.ready)) return null;
  return { kind: "send", turnId: first.id };
}

function opening(thread: ThreadFacts, link: LinkFacts, now: Date): NextCommand | null {
  if (thread.openSentEpoch === link.epoch) return null;
  if (thread.openNotBefore !== null && thread.openNotBefore > now) return null;
  return { kind: "open" };
}

function cancelling(
  turn: TurnFacts,
  { alive, link, now }: { readonly alive: boolean; readonly link: LinkFacts; readonly now: Date },
  { cancelDelayMs }: Pick<Limits, "cancelDelayMs">,
): NextCommand | null {
  if (turn.cancelRequestedAt === null) return probing(turn, link);
  if (turn.cancelSentEpoch === link.epoch || !alive) return null;
  const begun = turn.status !== "sent";
  const patience = turn.sentAt === null ? 0 : now.getTime() - turn.sentAt.getTime();
  return begun || patience >= cancelDelayMs ? { kind: "cancel", turnId: turn.id } : null;
}

function probing({ id, probeEpoch, probeSentEpoch }: TurnFacts, { epoch }: LinkFacts): NextCommand | null {
  return probeEpoch === epoch && probeSentEpoch !== epoch ? { kind: "probe", turnId: id } : null;
}

function firstWaiting(turns: readonly TurnFacts[], threadExists: boolean): TurnFacts | undefined {
  const waiting = turns.filter(({ status }) => status === "queued");
  const rank = (turn: TurnFacts): number => (threadExists && turn.interrupt ? 0 : 1);
  return waiting.toSorted((a, b) => rank(a) - rank(b) || a.number - b.number)[0];
}
