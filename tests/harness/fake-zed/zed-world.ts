import { setTimeout as delay } from "node:timers/promises";

/** Time as an editor sees it. Every wait of the fake editor is one of these: none is a real one unless this is. */
export interface ZedWorld {
  now(): Date;
  /** Rejects as soon as the signal aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Real time that goes faster: with a speed of 100 a minute takes 600 ms. */
export function fastWorld(speed: number): ZedWorld {
  const startMs = performance.now();
  return {
    now: () => new Date(Date.parse("2026-01-01T00:00:00Z") + (performance.now() - startMs) * speed),
    sleep: (durationMs, signal) => delay(durationMs / speed, undefined, signal === undefined ? {} : { signal }),
  };
}
