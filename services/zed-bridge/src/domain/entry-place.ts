import { standingOf } from "./standing.ts";
import { isInFlight, isTurnOver, type TurnStatus } from "./turn.ts";

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
// What a person types in the editor has no request id of ours: the editor labels it with the thread's last one, or with
// none. There the place decides. The words of the person are an entry of the role "user"; what comes after them in the
// thread, under the id of an ended turn, of none or of an unknown one, answers them:
//
//   request id         a turn that was typed          the entry
//   in flight          -                              belongs to the turn of the request
//   ended earlier      begins before the entry        belongs to the typed turn
//   unknown            is in flight, begins before    belongs to the typed turn
//
// Entry numbers mean something within one launch only, and start after the prompt, which has position 0.

/** The turn that a request id (or, without one, the thread) leads to. */
export interface EntryTurn {
  readonly status: TurnStatus;
  readonly sentEpoch: number;
  readonly sentLaunch: number;
}

/** A turn that an entry may belong to. */
export interface CandidateTurn extends EntryTurn {
  readonly number: number;
}

/** Which turn an entry belongs to: the one that its request id names, or the last one that was typed before it. */
export function turnOfEntry<T extends CandidateTurn>(named: T | null, typed: T | null): T | null {
  if (typed === null) return named;
  if (named === null) return isInFlight(typed.status) ? typed : null;
  return isTurnOver(named.status) && named.number < typed.number ? typed : named;
}

/** What is known when somebody has said something in the editor. */
export interface UserEntryFacts {
  readonly epoch: number;
  readonly linkEpoch: number;
  readonly threadEnded: boolean;
  /** Whether the thread has shown that it is alive on the current link. */
  readonly alive: boolean;
  readonly position: number;
  /** The last place in the thread of which anything was heard in this launch; `null`: of none. */
  readonly lastPosition: number | null;
  /** Whether an entry is known in this place, in this launch. */
  readonly placeTaken: boolean;
  /** Whether somebody has said the same in the thread before. */
  readonly wordsKnown: boolean;
  readonly turn: { readonly status: TurnStatus; readonly saysTheSame: boolean } | null;
}

/** What a person's words in the editor are: the beginning of a turn, words within one, or nothing new. */
export type UserEntryVerdict = { readonly kind: "begin" | "within" } | { readonly kind: "known"; readonly why: string };

/** What a person's words are. An editor that loads a thread may tell its whole history again; that begins nothing. */
export function judgeUserEntry(facts: UserEntryFacts): UserEntryVerdict {
  const { epoch, linkEpoch, threadEnded, alive, position, lastPosition, placeTaken, wordsKnown, turn } = facts;
  if (threadEnded) return known("the thread has ended");
  if (epoch !== linkEpoch) return known("a newer link has taken over");
  if (placeTaken) return known("the entry is known already");
  if (lastPosition !== null && position <= lastPosition) return known("it is history");
  if (lastPosition === null && wordsKnown) return known("it is history of an earlier launch");
  if (turn === null) return lastPosition !== null || alive ? { kind: "begin" } : known("the thread is not open yet");
  const isEcho = turn.status === "sent" || turn.saysTheSame;
  return isEcho ? known("what the bridge says is known here first") : { kind: "within" };
}

function known(why: string): UserEntryVerdict {
  return { kind: "known", why };
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
