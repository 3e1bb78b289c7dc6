import type { Rate } from "./token-bucket.ts";

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
  /** How many events may wait to be taken in, and how many characters in all of them, before the socket is not read. */
  readonly inboxFramesMax: number;
  readonly inboxCharactersMax: number;
  /** How many frames and bytes may come; beyond that the socket is not read until it may be again. */
  readonly frameRate: Rate;
  readonly byteRate: Rate;
  /** How many frames may come that are none of the protocol; beyond that the connection is closed. */
  readonly oddFrameRate: Rate;
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
  frameRate: { perSecond: 2_000, burst: 20_000 },
  byteRate: { perSecond: 32 * 1024 * 1024, burst: 128 * 1024 * 1024 },
  oddFrameRate: { perSecond: 10, burst: 1_000 },
  triesAfterCloseMax: 8,
};
