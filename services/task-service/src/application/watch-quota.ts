import { type Actor, nameOf, principalOf } from "@helix-zed/domain";
import type { Limits } from "../domain/limits.ts";
import { refuse } from "../domain/reason.ts";

/**
 * How many watches each actor has open in this process. A person, or a service for one person, has few: a browser leaks
 * them easily. A runner acts for everybody and has many.
 */
export class WatchQuota {
  readonly #open = new Map<string, number>();
  readonly #limits: Pick<Limits, "watchesPerActorMax" | "watchesPerRunnerMax">;

  constructor(limits: Pick<Limits, "watchesPerActorMax" | "watchesPerRunnerMax">) {
    this.#limits = limits;
  }

  /** Counts one watch more, until it is released or the signal aborts. Refuses beyond the limit. */
  take(actor: Actor, signal: AbortSignal): Disposable {
    const { subject, max } = this.#limitOf(actor);
    const open = this.#open.get(subject) ?? 0;
    if (open >= max) throw tooMany(subject, max);
    this.#open.set(subject, open + 1);
    let isOpen = true;
    const release = (): void => {
      if (isOpen) this.#release(subject);
      isOpen = false;
      signal.removeEventListener("abort", release);
    };
    // A caller that hangs up while the watch waits for it to read leaves nobody who would end the watch.
    signal.addEventListener("abort", release);
    if (signal.aborted) release();
    return { [Symbol.dispose]: release };
  }

  /** How many are open in all. */
  get open(): number {
    return [...this.#open.values()].reduce((sum, count) => sum + count, 0);
  }

  #release(subject: string): void {
    const left = (this.#open.get(subject) ?? 0) - 1;
    if (left > 0) this.#open.set(subject, left);
    else this.#open.delete(subject);
  }

  #limitOf(actor: Actor): { readonly subject: string; readonly max: number } {
    const principal = principalOf(actor);
    if (principal === null) return { subject: `service:${nameOf(actor)}`, max: this.#limits.watchesPerRunnerMax };
    const { userId, organizationId } = principal;
    const user = organizationId === undefined ? userId : `${organizationId}/${userId}`;
    const subject = actor.kind === "user" ? `user:${user}` : `service:${actor.name}/user:${user}`;
    return { subject, max: this.#limits.watchesPerActorMax };
  }
}

function tooMany(subject: string, max: number): Error {
  const message = `At most ${max} watches may be open at a time. Close one, or watch more with one.`;
  return refuse("TOO_MANY_WATCHES", message, { limit: String(max) }, { quota: { subject, description: message } });
}
