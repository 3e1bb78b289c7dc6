import type { InstanceFacts } from "../application/list-instances.ts";

/** What to do about an instance, so that the world becomes what is wanted. */
export type Step =
  /** Nothing, until something changes. */
  | { readonly kind: "none" }
  /** Nothing, until this moment. */
  | { readonly kind: "wait"; readonly until: Date }
  | { readonly kind: "launch" }
  /** A process is on record that this bridge does not look after yet: it is from before. */
  | { readonly kind: "adopt"; readonly pid: number; readonly startedAt: string }
  | { readonly kind: "stop" };

const none: Step = { kind: "none" };

/** Decides from what is wanted and what is there; `heldLaunch` is the launch whose process this bridge looks after. */
export function nextStep(instance: InstanceFacts, heldLaunch: number | null, now: Date): Step {
  if (heldLaunch !== null) {
    const isUnwanted = instance.desired === "stopped" || instance.launch !== heldLaunch;
    return isUnwanted || instance.unresponsive || instance.revoked ? { kind: "stop" } : none;
  }
  const { pid, pidStartedAt, desired, status, launchTarget, nextLaunchAt } = instance;
  if (pid !== null) return { kind: "adopt", pid, startedAt: pidStartedAt ?? "" };
  if (desired === "stopped" || status === "failed" || launchTarget === "external") return none;
  return nextLaunchAt !== null && nextLaunchAt > now ? { kind: "wait", until: nextLaunchAt } : { kind: "launch" };
}
