import type { Limits } from "./limits.ts";
import type { TurnStatus } from "./turn.ts";

// Deadlines
//
// The editor is silent about much that goes wrong, so every wait has an end. What counts is the time in which something
// could have happened: none passes while the editor is not connected, while an earlier turn of another thread holds its
// one queue (`blocked`; `freeSince` is when that ended), or while a tool runs. Somebody who is asked for a permission has
// a time of their own. Only the limits on a whole turn and on a cancel run on regardless.
//
// A link that breaks may take a frame with it: the prompt, or the last thing that was said of a turn. So a turn that was
// not heard of on the current link is not known to be at work, and is not waited for without end:
//
//   the editor keeps its events and knows a repeated prompt     it has shown no sign of it, not even a receipt
//     (acp-host)                                                  → hand it over again, at once ("resend")
//   the editor does neither (a real Zed)                        it is silent for as long as a turn may be
//                                                                 → ask whether it is at work ("probe"), once on each link
//
// What the answer means stands in receive-cancelled.ts; why it is so in docs/decisions.

/** A request that the bridge can answer is answered at its time limit; this comes where that has not helped. */
const UNANSWERED_GRACE_MS = 60_000;

/** What is overdue. */
export type Overdue =
  /** The turn was to be cancelled and has not ended. */
  | "cancel"
  /** The turn takes longer than any turn may. */
  | "turn"
  /** The thread was to be opened and has shown no sign of life. */
  | "open"
  /** A new thread was asked for and not named. */
  | "thread"
  /** The turn was sent on an earlier link, which may have lost it: the editor takes it once, however often it comes. */
  | "resend"
  /** The turn was not heard of on this link: the editor is to be asked. */
  | "probe"
  /** The editor was asked after the turn and does not answer: it is connected in name only. */
  | "mute"
  /** The editor was at work on a turn that it was asked after, has stopped it, and did not say that it has. */
  | "stopped"
  /** Somebody is asked for a permission and does not answer, where it is not for the bridge to answer. */
  | "unanswered"
  /** The turn is silent. */
  | "stall";

/** A thread and its turn in flight, as far as deadlines depend on them. */
export interface OverdueFacts {
  readonly thread: {
    readonly zedThreadId: string | null;
    readonly openedEpoch: number;
    readonly openSentEpoch: number;
    readonly openSentAt: Date | null;
    readonly lastActivityAt: Date | null;
  };
  readonly turn: {
    readonly status: TurnStatus;
    readonly sentAt: Date | null;
    readonly sentEpoch: number;
    readonly stalled: boolean;
    readonly cancelRequestedAt: Date | null;
    readonly receivedAt: Date | null;
    readonly heardEpoch: number;
    readonly probeEpoch: number;
    readonly probeCancelledAt: Date | null;
  } | null;
  /** Whether the editor loses none of its events, and takes a prompt that is repeated once. */
  readonly keepsEvents: boolean;
  readonly link: { readonly connected: boolean; readonly epoch: number; readonly connectedAt: Date | null };
  readonly queue: { readonly blocked: boolean; readonly freeSince: Date | null };
  readonly toolRuns: boolean;
}

/** The first thing that is overdue in a thread, or `null`. */
export function overdueOf(facts: OverdueFacts, limits: Limits, now: Date): Overdue | null {
  const { thread, turn, link } = facts;
  const late = (since: Date | null, afterMs: number): boolean =>
    since !== null && now.getTime() - since.getTime() > afterMs;
  if (turn !== null && late(turn.cancelRequestedAt, limits.cancelTimeoutMs)) return "cancel";
  if (turn !== null && late(turn.sentAt, limits.turnTimeoutMs)) return "turn";
  if (!link.connected) return null;
  if (thread.zedThreadId !== null && thread.openedEpoch !== link.epoch) {
    const overdue = thread.openSentEpoch === link.epoch && late(thread.openSentAt, limits.openTimeoutMs);
    return overdue ? "open" : null;
  }
  if (turn === null) return null;
  if (turn.probeCancelledAt !== null) return late(turn.probeCancelledAt, limits.cancelTimeoutMs) ? "stopped" : null;
  if (turn.status === "sent") return overdueBeforeFirstEvent({ ...facts, turn }, limits, late);
  if (turn.status === "waiting") {
    const patienceMs = limits.permissionTimeoutMs + UNANSWERED_GRACE_MS;
    return late(latest(thread.lastActivityAt, link.connectedAt), patienceMs) ? "unanswered" : null;
  }
  if (turn.status !== "running" || facts.toolRuns) return null;
  const quietSince = latest(thread.lastActivityAt, link.connectedAt);
  if (!late(quietSince, limits.silenceTimeoutMs)) return null;
  return silence(facts, turn, late(quietSince, limits.silenceTimeoutMs + limits.cancelTimeoutMs));
}

type InFlight = NonNullable<OverdueFacts["turn"]>;

/** What to do about a turn that says nothing: ask, if what it said may have been lost; else mark it, if it is not. */
function silence({ link, keepsEvents }: OverdueFacts, turn: InFlight, patienceIsOver: boolean): Overdue | null {
  if (!keepsEvents && !isKnownOn(link.epoch, turn)) {
    if (turn.probeEpoch !== link.epoch) return "probe";
    if (patienceIsOver) return "mute";
  }
  return turn.stalled ? null : "stall";
}

/** Whether nothing of the turn can have been lost with an older link. */
function isKnownOn(epoch: number, { sentEpoch, heardEpoch }: InFlight): boolean {
  return sentEpoch === epoch || heardEpoch === epoch;
}

function overdueBeforeFirstEvent(
  facts: OverdueFacts & { readonly turn: InFlight },
  limits: Limits,
  late: (since: Date | null, afterMs: number) => boolean,
): Overdue | null {
  const { thread, turn, link, queue, keepsEvents } = facts;
  const mayBeLost = turn.receivedAt === null && turn.heardEpoch === 0 && turn.sentEpoch !== link.epoch;
  if (keepsEvents && mayBeLost) return late(link.connectedAt, limits.resendDelayMs) ? "resend" : null;
  if (queue.blocked) return null;
  const mayHaveBegunAt = latest(turn.sentAt, thread.lastActivityAt, queue.freeSince, link.connectedAt);
  const creating = thread.zedThreadId === null;
  const patienceMs = creating ? limits.threadCreatedTimeoutMs : limits.firstEventTimeoutMs;
  if (!late(mayHaveBegunAt, patienceMs)) return null;
  const said = silence(facts, turn, late(mayHaveBegunAt, patienceMs + limits.cancelTimeoutMs));
  return creating && said !== "probe" && !isAskedAfter(link.epoch, turn) ? "thread" : said;
}

/** Whether the editor was asked after the turn on this link: its answer decides, and is awaited. */
function isAskedAfter(epoch: number, { probeEpoch }: InFlight): boolean {
  return probeEpoch === epoch;
}

function latest(...dates: readonly (Date | null)[]): Date | null {
  return dates.reduce((late, date) => (late === null || (date !== null && date > late) ? date : late), null);
}
