import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 30_000;
const POLL_MS = 50;

/** Asks again until the answer is there, and gives it; after the patience has run out, fails with what was wanted. */
export async function eventually<T>(
  wanted: string,
  ask: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (performance.now() > endMs) throw new Error(`Not within ${patienceMs} ms: ${wanted}`);
    await delay(POLL_MS);
  }
}
