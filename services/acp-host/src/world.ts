import { randomUUID } from "node:crypto";

/** What a test must hold still: the clock, the timers, and ids. */
export interface World {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs something once, after a delay, unless it is cancelled first. */
  after(delayMs: number, run: () => void): Timer;
  /** An id that nobody has had before, also in other runs. */
  newId(): string;
}

export interface Timer {
  cancel(): void;
}

/** The real ones. */
export const realWorld: World = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  newId: () => randomUUID(),
};

/** Resolves after a delay of this world. */
export function delay(world: World, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    world.after(delayMs, resolve);
  });
}

/** The value of a promise, or an error with this message if it takes too long. */
export async function within<T>(world: World, limitMs: number, message: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = world.after(limitMs, () => late.reject(new Error(message)));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
