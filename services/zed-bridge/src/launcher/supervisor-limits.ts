/** How patient a supervisor is with processes. */
export interface SupervisorLimits {
  /** How often to look what is wanted without being told that it has changed. */
  readonly pollMs: number;
  /** How long a process may take to end by itself once it is told to. */
  readonly stopGraceMs: number;
  /** How long what a process left running may take. */
  readonly leftoverGraceMs: number;
  /** How long to wait until what the link of an ended process had brought is taken in. */
  readonly settleMsMax: number;
  /** How many launches may be under way at once. */
  readonly launchesMax: number;
  /** How often to look at the logs of processes; at one that is flooded, twenty times as often. */
  readonly logPollMs: number;
  /** How often to look for folders that nobody needs any more, and how long they are kept after the last thread's end. */
  readonly sweepMs: number;
  readonly retentionMs: number;
}

/** What is usual. Stopping takes less than the time that the whole bridge has for it. */
export const defaultSupervisorLimits: SupervisorLimits = {
  pollMs: 5_000,
  stopGraceMs: 4_000,
  leftoverGraceMs: 1_000,
  settleMsMax: 2_000,
  launchesMax: 4,
  logPollMs: 200,
  sweepMs: 30_000,
  retentionMs: 7 * 24 * 60 * 60 * 1_000,
};
