/** What this service allows and how long it waits; every number has its unit in its name. */
export interface Limits {
  readonly workSessionsPerTaskMax: number;
  readonly pageSizeDefault: number;
  readonly pageSizeMax: number;
  /** Of one free-form object, as JSON. */
  readonly configBytesMax: number;
  readonly configDepthMax: number;
  /** How often work on a session is begun before it is given up. */
  readonly attemptsMax: number;
  /** How long a runner may be silent before its sessions are given to others. */
  readonly leaseMs: number;
  readonly sweepIntervalMs: number;
  /** How long a watch looks for changes by itself at the latest, whether it was told of some or not. */
  readonly watchPollMs: number;
  /** How often at most other processes are told of changes. */
  readonly watchNotifyIntervalMs: number;
  /** How long a watch is silent at most. */
  readonly watchHeartbeatMs: number;
}

/** What holds unless the configuration says otherwise. */
export const defaultLimits: Limits = {
  workSessionsPerTaskMax: 50,
  pageSizeDefault: 50,
  pageSizeMax: 1_000,
  configBytesMax: 16 * 1024,
  configDepthMax: 32,
  attemptsMax: 5,
  leaseMs: 30_000,
  sweepIntervalMs: 2_000,
  watchPollMs: 1_000,
  watchNotifyIntervalMs: 10,
  watchHeartbeatMs: 10_000,
};
