// Claimed sessions: how sessions that want a runner become this runner's.
//
//   want ─▶ suits? ─▶ claim (until it is ours, or out of reach) ─▶ hold its lease ─▶ handler.claimed (until it succeeds)
//
// One session at most is begun at a time for each id, and no more than the capacity are begun or held. Beginning is
// tried again, ever more slowly, for as long as nobody stops it: what keeps it from succeeding (a service or a database
// that restarts) is expected to pass.

import { errorCode } from "@helix-zed/client";
import { Code } from "@connectrpc/connect";
import type { ClaimWorkSessionResponse } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import type { HeldLeases } from "./held-leases.ts";
import type { Claim, RunnerOptions } from "./runner-options.ts";

const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 30_000;

/** Taken, ended or gone: nothing to try again, the watch tells what comes of it. */
const OUT_OF_REACH: ReadonlySet<Code> = new Set([Code.FailedPrecondition, Code.NotFound, Code.Aborted]);

/** Claims sessions and hands them to the handler. */
export class ClaimedSessions {
  readonly #options: RunnerOptions;
  readonly #leases: HeldLeases;
  readonly #stopping: AbortSignal;
  /** In the order in which they were seen to want a runner. */
  readonly #wanted = new Set<string>();
  readonly #beginning = new Map<string, { readonly done: Promise<void>; readonly stop: AbortController }>();

  constructor(options: RunnerOptions, leases: HeldLeases, stopping: AbortSignal) {
    this.#options = options;
    this.#leases = leases;
    this.#stopping = stopping;
  }

  /** Notes that the session wants a runner. */
  want(id: string): void {
    this.#wanted.add(id);
    this.beginWanted();
  }

  /** Notes that it does not, or not any more. */
  forget(id: string): void {
    this.#wanted.delete(id);
  }

  /** Gives up beginning the session, and answers when that has ended. */
  async stop(id: string): Promise<void> {
    this.#wanted.delete(id);
    const beginning = this.#beginning.get(id);
    beginning?.stop.abort();
    await beginning?.done;
  }

  /** Answers when nothing is being begun. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#beginning.values()].map(({ done }) => done));
  }

  /** Begins as many of the wanted sessions as there is room for. */
  beginWanted(): void {
    for (const id of this.#wanted) {
      if (this.#stopping.aborted || this.#load() >= (this.#options.capacity ?? Infinity)) return;
      if (!this.#beginning.has(id)) this.#start(id);
    }
  }

  #load(): number {
    return new Set([...this.#leases.ids(), ...this.#beginning.keys()]).size;
  }

  #start(id: string): void {
    const stop = new AbortController();
    const done = this.#begin(id, AbortSignal.any([stop.signal, this.#stopping])).finally(() => {
      this.#beginning.delete(id);
      this.beginWanted();
    });
    this.#beginning.set(id, { done, stop });
  }

  async #begin(id: string, signal: AbortSignal): Promise<void> {
    const claim = await this.#claim(id, signal);
    const lease = claim?.workSession.lease;
    if (claim === undefined || lease === undefined) return;
    this.#leases.hold(id, lease.epoch);
    await this.#persist("beginning a session", id, signal, () => this.#options.handler.claimed(claim, lease.epoch));
  }

  #claim(id: string, signal: AbortSignal): Promise<Claim | undefined> {
    return this.#persist("claiming a session", id, signal, async () => {
      if (!this.#wanted.has(id)) return undefined;
      const { handler } = this.#options;
      const claim = (await handler.suits?.(id)) === false ? undefined : await this.#tryClaim(id);
      this.#wanted.delete(id);
      return claim?.workSession === undefined ? undefined : { ...claim, workSession: claim.workSession };
    });
  }

  async #tryClaim(id: string): Promise<ClaimWorkSessionResponse | undefined> {
    try {
      return await this.#options.runners.claimWorkSession({ id, runner: this.#options.name });
    } catch (error) {
      if (!OUT_OF_REACH.has(errorCode(error))) throw error;
      return undefined;
    }
  }

  /** Does it until it succeeds or is stopped, ever more slowly. */
  async #persist<T>(doing: string, id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await work();
      } catch (error) {
        this.#options.onProblem({ doing, workSessionId: id, error });
        const pauseMs = Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS);
        await this.#options.world.sleep(pauseMs, signal).catch(() => undefined);
      }
    }
    return undefined;
  }
}
