/** How long things may take and how often they may fail, before the bridge does something about it. */
export interface Limits {
  /** From a connect until the editor counts as ready although it has not said so. */
  readonly readyTimeoutMs: number;
  /** From a launch until the process must have connected. */
  readonly connectTimeoutMs: number;
  /** From when the editor may begin until it must have named a new thread. */
  readonly threadCreatedTimeoutMs: number;
  /** From `open_thread` until a sign of life of the thread. */
  readonly openTimeoutMs: number;
  /** From when the editor may begin until a turn without any event counts as stalled. */
  readonly firstEventTimeoutMs: number;
  /** The silence after which a running turn counts as stalled; a tool that runs suspends it. */
  readonly silenceTimeoutMs: number;
  /** From when a turn is handed over until it is given up, whatever it says. */
  readonly turnTimeoutMs: number;
  /** From when a thread is alive on a new link until a prompt that an older one may have lost is handed over again. */
  readonly resendDelayMs: number;
  /** How long a cancel waits for the first event of the turn it is to stop. */
  readonly cancelDelayMs: number;
  /** From asking for a cancel until the turn counts as interrupted, whatever the editor says. */
  readonly cancelTimeoutMs: number;
  /** How long a request for permission waits for an answer before it is rejected. */
  readonly permissionTimeoutMs: number;
  /** How long a turn may go on after its agent has reported the result of the session. */
  readonly reportedTimeoutMs: number;
  /** How often a turn is handed over before it fails. */
  readonly attemptsMax: number;
  /** How often a process may end by itself within `restartWindowMs`. */
  readonly restartsMax: number;
  readonly restartWindowMs: number;
  /** Pause before the first restart; doubled for each further one in the window. */
  readonly restartDelayMs: number;
  readonly restartDelayMsMax: number;
  /** From the end of its last thread until a process is let go. */
  readonly releaseDelayMs: number;
  /** How long a process without a window is kept although none of its threads has anything to do; `null`: for ever. */
  readonly idleStopMs: number | null;
  /** How many threads that people began in one editor may wait to become work sessions. */
  readonly editorThreadsMax: number;
  /** How many turns may wait in one thread. */
  readonly queuedTurnsMax: number;
}

/** What is usual. */
export const defaultLimits: Limits = {
  readyTimeoutMs: 60_000,
  connectTimeoutMs: 60_000,
  threadCreatedTimeoutMs: 90_000,
  openTimeoutMs: 60_000,
  firstEventTimeoutMs: 120_000,
  silenceTimeoutMs: 180_000,
  turnTimeoutMs: 6 * 60 * 60 * 1_000,
  resendDelayMs: 2_000,
  cancelDelayMs: 5_000,
  cancelTimeoutMs: 30_000,
  permissionTimeoutMs: 30 * 60 * 1_000,
  reportedTimeoutMs: 60_000,
  attemptsMax: 3,
  restartsMax: 5,
  restartWindowMs: 10 * 60 * 1_000,
  restartDelayMs: 500,
  restartDelayMsMax: 30_000,
  releaseDelayMs: 2_000,
  idleStopMs: 30 * 60 * 1_000,
  editorThreadsMax: 20,
  queuedTurnsMax: 1_000,
};
