// The lifecycle of a watch that resumes
//
//                    ┌───────────────── retry ──────────────────┐
//                    ▼                                          │
//   connecting ──snapshot──▶ syncing ──synced──▶ live ──break──▶ waiting
//        │  └───────────resume────────────────────▲               ▲
//        └─────────────────break──────(also from syncing)─────────┘
//
//   any of the four ──refuse──▶ refused     the server will never serve this request to this caller
//   any of the four ──end────▶ ended        everything that was watched is over
//   any of the four ──close──▶ closed       nobody listens any more
//
// Total: each action has a cell in each state, `null` where it means nothing. The three ends absorb.

/** Where a watch stands. */
export type WatchState = "connecting" | "syncing" | "live" | "waiting" | "refused" | "ended" | "closed";

/** What may happen to a watch. */
export type WatchAction = "snapshot" | "resume" | "synced" | "break" | "retry" | "refuse" | "end" | "close";

type Row = Readonly<Record<WatchAction, WatchState | null>>;

const none: Row = {
  snapshot: null,
  resume: null,
  synced: null,
  break: null,
  retry: null,
  refuse: null,
  end: null,
  close: null,
};
const open: Row = { ...none, break: "waiting", refuse: "refused", end: "ended", close: "closed" };

/** For every state and action the state that follows, or `null` where nothing does. */
export const watchLifecycle: Readonly<Record<WatchState, Row>> = {
  connecting: { ...open, snapshot: "syncing", resume: "live" },
  syncing: { ...open, synced: "live" },
  live: open,
  waiting: { ...none, retry: "connecting", refuse: "refused", end: "ended", close: "closed" },
  refused: none,
  ended: none,
  closed: none,
};

/** Whether nothing will come any more. */
export function isOver(state: WatchState): boolean {
  return state === "refused" || state === "ended" || state === "closed";
}
