import { randomBytes } from "node:crypto";
import { setTimeout as timeout } from "node:timers/promises";
import { createUuidv7 } from "./uuidv7.ts";

/** The outside that a test must be able to hold still: clock, ids, secrets, chance, waiting. */
export interface World {
  now(): Date;
  /** A new id: `tsk_` and 32 hexadecimal digits for the prefix `tsk`. Ids of one process rise strictly. */
  newId(prefix: string): string;
  /** A new secret of 256 bits, 43 characters that are safe in URLs and headers. */
  newSecret(): string;
  /** A number from 0 up to but not including 1, for jitter. */
  random(): number;
  /** Waits; rejects with the signal's reason as soon as it aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** The real one: made once, in `main.ts`. */
export function systemWorld(): World {
  const uuid = createUuidv7({ nowMs: () => Date.now(), randomBytes: pooledRandomBytes() });
  return {
    now: () => new Date(),
    newId: (prefix) => `${prefix}_${uuid()}`,
    newSecret: () => randomBytes(32).toString("base64url"),
    random: () => Math.random(),
    sleep,
  };
}

/** Random bytes for ids, asked from the system many at a time: each time costs more than the id. */
function pooledRandomBytes(): (count: number) => Uint8Array {
  let pool = randomBytes(0);
  return (count) => {
    if (pool.length < count) pool = randomBytes(4_096);
    const bytes = pool.subarray(0, count);
    pool = pool.subarray(count);
    return bytes;
  };
}

async function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await timeout(durationMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // Node wraps the reason in an AbortError of its own.
    throw signal?.aborted ? signal.reason : error;
  }
}
