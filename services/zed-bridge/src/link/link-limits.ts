/** What one connection may cost, and how patient we are with it. */
export interface LinkLimits {
  /** Time between two pings of ours. */
  readonly pingIntervalMs: number;
  /** The longest silence: no frame, no ping, no pong. */
  readonly silenceMaxMs: number;
  /** How often to look for commands without being told that there are any. */
  readonly pollMs: number;
  /** How long a frame may take to leave. */
  readonly writeTimeoutMs: number;
  /** How long an editor may take to answer a close. */
  readonly closeTimeoutMs: number;
  /** How many frames may wait to be taken in, and how many characters in all of them, before the socket is not read. */
  readonly inboxFramesMax: number;
  readonly inboxCharactersMax: number;
  /** How often to try again to take in what a connection had brought, once it is closed. */
  readonly triesAfterCloseMax: number;
}

/** What is usual. An editor of Helix's is pinged every 54 s and given 60 s. */
export const defaultLinkLimits: LinkLimits = {
  pingIntervalMs: 54_000,
  silenceMaxMs: 60_000,
  pollMs: 5_000,
  writeTimeoutMs: 30_000,
  closeTimeoutMs: 2_000,
  inboxFramesMax: 256,
  inboxCharactersMax: 32 * 1024 * 1024,
  triesAfterCloseMax: 8,
};
