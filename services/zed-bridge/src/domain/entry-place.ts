import { standingOf } from "./standing.ts";
import { isTurnOver, type TurnStatus } from "./turn.ts";

// Where an entry belongs
//
// The thread is known from the frame; the request id, which may be missing or old, confirms or rejects the turn:
//
//   request id         turn                          the entry
//   of the thread's    in flight                     belongs to it, and shows that the thread is alive
//   of the thread's    ended, in the present launch  belongs to it: late output (content only)
//   of the thread's    ended, in an older launch     is history that the editor replays: dropped
//   of the thread's    queued                        is of an attempt that is over: dropped
//   empty              in flight                     belongs to it
//   any other          -                             dropped
//
// Entry numbers mean something within one launch only, and start after the prompt, which has position 0.

/** The turn that a request id (or, without one, the thread) leads to. */
export interface EntryTurn {
  readonly status: TurnStatus;
  readonly sentEpoch: number;
  readonly sentLaunch: number;
}

/** What is known when an entry arrives. */
export interface EntryFacts {
  readonly epoch: number;
  readonly linkEpoch: number;
  readonly launch: number;
  readonly threadEnded: boolean;
  readonly turn: EntryTurn | null;
}

/** What to do with an entry. */
export type EntryVerdict =
  | { readonly take: false; readonly why: string }
  | {
      readonly take: true;
      /** It is a sign of its turn. */
      readonly moves: boolean;
      /** It shows that its thread is alive on the current link. */
      readonly alive: boolean;
    };

/** Whether an entry is to be stored, and what else it proves. */
export function judgeEntry({ epoch, linkEpoch, launch, threadEnded, turn }: EntryFacts): EntryVerdict {
  if (threadEnded) return drop("the thread has ended");
  if (turn === null) return drop("no turn of the thread has this request id");
  const standing = standingOf({ epoch, linkEpoch, launch, turn });
  if (standing === "fenced") return drop("a newer link has taken over");
  if (turn.status === "queued") return drop("its attempt is over");
  if (turn.sentLaunch !== launch) return drop("it is history of an earlier launch");
  const moves = !isTurnOver(turn.status);
  return { take: true, moves, alive: moves && standing === "current" };
}

/** The place of an entry by its number on the wire; `null` if that is none. */
export function positionOf(messageId: string): number | null {
  return /^\d{1,9}$/.test(messageId) ? Number(messageId) + 1 : null;
}

function drop(why: string): EntryVerdict {
  return { take: false, why };
}
