import type { Limits } from "./limits.ts";

/** What to do about a process that ended by itself. */
export type Restart =
  | { readonly kind: "restart"; readonly recentExits: number[]; readonly notBefore: Date }
  | { readonly kind: "give_up"; readonly recentExits: number[] };

type RestartLimits = Pick<Limits, "restartsMax" | "restartWindowMs" | "restartDelayMs" | "restartDelayMsMax">;

/** Counts an exit: each one in the window doubles the pause before the next start, and too many are the end. */
export function afterExit(earlierExits: readonly number[], now: Date, limits: RestartLimits): Restart {
  const nowMs = now.getTime();
  const recentExits = [...earlierExits.filter((exitMs) => nowMs - exitMs < limits.restartWindowMs), nowMs];
  if (recentExits.length > limits.restartsMax) return { kind: "give_up", recentExits };
  const delayMs = Math.min(limits.restartDelayMs * 2 ** (recentExits.length - 1), limits.restartDelayMsMax);
  return { kind: "restart", recentExits, notBefore: new Date(nowMs + delayMs) };
}
