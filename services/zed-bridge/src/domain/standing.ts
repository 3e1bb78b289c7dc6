// Standing: whether what an editor says still counts
//
// An instance has one current link, the one with the newest epoch. What comes on an older one is not listened to, with
// one exception. An editor says everything once: what it said about a turn just before its socket broke, it will not say
// again. So an event of an older epoch counts as an afterword if it is about a turn that was sent in that very epoch
// and in the present launch. An afterword may fill and end its turn; it proves nothing about what is alive now, and it
// never overwrites what a newer link has said.

/** How an event counts. */
export type Standing = "current" | "afterword" | "fenced";

/** Where an event came from and what is current. */
export interface StandingFacts {
  readonly epoch: number;
  readonly linkEpoch: number;
  readonly launch: number;
  /** The turn that the event is about, if there is one. */
  readonly turn: { readonly sentEpoch: number; readonly sentLaunch: number } | null;
}

/** How an event of this epoch counts. */
export function standingOf({ epoch, linkEpoch, launch, turn }: StandingFacts): Standing {
  if (epoch === linkEpoch) return "current";
  if (turn === null || epoch > linkEpoch) return "fenced";
  return turn.sentEpoch === epoch && turn.sentLaunch === launch ? "afterword" : "fenced";
}
