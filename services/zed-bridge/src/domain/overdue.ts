import type { Limits } from "./limits.ts";
import type { TurnStatus } from "./turn.ts";

// Deadlines
//
// The editor is silent about much that goes wrong, so every wait has an end. What counts is the time in which something
// could have happened: none passes while the editor is not connected, while an earlier turn of another thread holds its
// one queue (`blocked`; `freeSince` is when that ended), while a tool runs, or while somebody is asked for a permission.
// Only the limits on a whole turn and on a cancel run on regardless.

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
  /** The turn was sent on an earlier link, which may have lost it, and was not heard of since. */
  | "resend"
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
  } | null;
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
  if (turn.status === "sent") return overdueBeforeFirstEvent({ ...facts, turn }, limits, late);
  if (turn.status !== "running" || turn.stalled || facts.toolRuns) return null;
  return late(latest(thread.lastActivityAt, link.connectedAt), limits.silenceTimeoutMs) ? "stall" : null;
}

function overdueBeforeFirstEvent(
  { thread, turn, link, queue }: OverdueFacts & { readonly turn: NonNullable<OverdueFacts["turn"]> },
  { threadCreatedTimeoutMs, firstEventTimeoutMs }: Limits,
  late: (since: Date | null, afterMs: number) => boolean,
): Overdue | null {
  if (queue.blocked) return null;
  const mayHaveBegunAt = latest(turn.sentAt, thread.lastActivityAt, queue.freeSince, link.connectedAt);
  const creating = thread.zedThreadId === null;
  if (!late(mayHaveBegunAt, creating ? threadCreatedTimeoutMs : firstEventTimeoutMs)) return null;
  if (turn.sentEpoch !== link.epoch) return "resend";
  if (creating) return "thread";
  return turn.stalled ? null : "stall";
}

function latest(...dates: readonly (Date | null)[]): Date | null {
  return dates.reduce((late, date) => (late === null || (date !== null && date > late) ? date : late), null);
}
