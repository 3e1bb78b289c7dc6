/** What this service allows and how long it waits; every number has its unit in its name. */
export interface Limits {
  /** Of a name. */
  readonly nameCharsMax: number;
  /** Of a description or a prompt, in UTF-8. */
  readonly descriptionBytesMax: number;
  readonly workSessionsPerTaskMax: number;
  /** How many sessions a session may descend from: each was spawned by the next. */
  readonly spawnDepthMax: number;
  readonly pageSizeDefault: number;
  readonly pageSizeMax: number;
  /** How long the database may look for a page. */
  readonly pageMsMax: number;
  /** Of one free-form object, as JSON. */
  readonly configBytesMax: number;
  /** Of one free-form object and all within it. */
  readonly configKeysMax: number;
  readonly configDepthMax: number;
  readonly filterCharsMax: number;
  readonly filterTermsMax: number;
  readonly orderCharsMax: number;
  /** How many watches one actor may have open in one process at a time. */
  readonly watchesPerActorMax: number;
  /** The same for a runner, which acts for everybody. */
  readonly watchesPerRunnerMax: number;
  /** How long a request id is remembered. */
  readonly requestRetentionMs: number;
  readonly requestSweepIntervalMs: number;
  /** How often work on a session is begun before it is given up. */
  readonly attemptsMax: number;
  /** How long a runner may be silent before its sessions are given to others. */
  readonly leaseMs: number;
  readonly sweepIntervalMs: number;
  /** How long a watch looks for changes by itself at the latest, whether it was told of some or not. */
  readonly watchPollMs: number;
  /** How often at most other processes are told of changes. */
  readonly watchNotifyIntervalMs: number;
  /** How many of the newest changes a process holds, once for all of its watches. */
  readonly watchTailChangesMax: number;
  /** A change is kept for so long, and then for as long as it is among the newest of this number. */
  readonly logRetentionMs: number;
  readonly logRetentionChanges: number;
  readonly logCompactionIntervalMs: number;
  /** How many changes are dropped in one transaction. */
  readonly logCompactionBatchMax: number;
  /** A snapshot that is longer than a page holds a connection, and this long at most. */
  readonly snapshotMsMax: number;
  /** How many such snapshots one process delivers at a time. */
  readonly longSnapshotsMax: number;
  /** How long a watch is silent at most. */
  readonly watchHeartbeatMs: number;
}

/** What holds unless the configuration says otherwise. */
export const defaultLimits: Limits = {
  nameCharsMax: 255,
  descriptionBytesMax: 64 * 1024,
  workSessionsPerTaskMax: 50,
  spawnDepthMax: 10,
  pageSizeDefault: 50,
  pageSizeMax: 1_000,
  pageMsMax: 5_000,
  configBytesMax: 16 * 1024,
  configKeysMax: 64,
  configDepthMax: 8,
  filterCharsMax: 1_000,
  filterTermsMax: 20,
  orderCharsMax: 1_000,
  watchesPerActorMax: 20,
  watchesPerRunnerMax: 1_000,
  requestRetentionMs: 24 * 60 * 60 * 1_000,
  requestSweepIntervalMs: 60_000,
  attemptsMax: 5,
  leaseMs: 30_000,
  sweepIntervalMs: 2_000,
  watchPollMs: 1_000,
  watchNotifyIntervalMs: 10,
  watchTailChangesMax: 2_000,
  logRetentionMs: 24 * 60 * 60 * 1_000,
  logRetentionChanges: 100_000,
  logCompactionIntervalMs: 5_000,
  logCompactionBatchMax: 1_000,
  snapshotMsMax: 60_000,
  longSnapshotsMax: 6,
  watchHeartbeatMs: 10_000,
};
