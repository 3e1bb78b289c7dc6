// Runner: what makes a process carry out work sessions.
//
//   watch ──changed──▶ reactTo ──claim──▶ handler.claimed        (level-triggered, idempotent)
//     │                   └────let-go──▶ handler.lost            (somebody else has it now)
//     ├────deleted─────────────────────▶ handler.ended           (it ended, or it is gone)
//     └────synced──────────────────────▶ handler.synced(ids)     (end what is not among the living)
//   renew, every third of a lease ─lost▶ handler.lost
//
// Authority. task-service alone says who holds a session; a claim has an epoch, and a report with an older epoch is
// refused there. So nothing here needs to be exact about time: at worst two processes work on one session for a
// moment, and only the newer one is listened to.
//
// Memory holds leases, never facts: after a restart under the same name the snapshot shows the sessions that this
// runner held, and it claims them again. What was done for them the handler finds in its own database.
//
// Failure. A broken watch resumes (see resume-watch.ts). A claim that is lost to another runner is normal. A claim
// that fails otherwise is tried again while the session still wants it. A handler that throws is called again, ever
// more slowly, for as long as the lease is held: what stopped it (a database that restarts) is expected to pass.

import { type Client, Code } from "@connectrpc/connect";
import type { World } from "@helix-zed/domain";
import type { ClaimWorkSessionResponse, RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type {
  WatchWorkSessionsResponse,
  WorkSessionService,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { errorCode } from "./error-code.ts";
import { HeldLeases } from "./held-leases.ts";
import { reactTo } from "./reaction.ts";
import { resumeWatch } from "./resume-watch.ts";

/** A claimed session, with its lease. */
export type Claim = ClaimWorkSessionResponse & { readonly workSession: WorkSession };

/** What a runner does with its sessions. Every call may come again; none may take back what a newer one did. */
export interface RunnerHandler {
  /** The session is this runner's to carry out: make the world match, then return. */
  claimed(claim: Claim, leaseEpoch: bigint): Promise<void>;
  /** The session is somebody else's now, or nobody's: stop driving it, keep what was done. */
  lost(workSessionId: string): Promise<void>;
  /** The session has ended or does not exist any more: clean up after it. */
  ended(workSessionId: string): Promise<void>;
  /** Every session that lives is in `workSessionIds`; those that were created after the watch began may be missing. */
  synced(workSessionIds: ReadonlySet<string>): Promise<void>;
}

/** How a runner finds its work. */
export interface RunnerOptions {
  /** Its name: the same across restarts, and no other runner's. */
  readonly name: string;
  /** The agent types that it carries out. */
  readonly agentTypes: readonly string[];
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly runners: Client<typeof RunnerService>;
  readonly handler: RunnerHandler;
  readonly world: Pick<World, "sleep" | "random">;
  /** How many sessions it holds at once. Default: any number. */
  readonly capacity?: number;
  /** Pause between two renewals, in milliseconds: a third of the lease or less. Default 10,000. */
  readonly renewIntervalMs?: number;
  /** Hears of everything that went wrong and was survived. */
  readonly onProblem: (problem: {
    readonly doing: string;
    readonly workSessionId?: string;
    readonly error: unknown;
  }) => void;
}

/** A runner at work. */
export interface RunningRunner {
  /** Stops watching and gives every session back at once. */
  stop(): Promise<void>;
  /** The epoch under which a session is held, if it is. */
  epochOf(workSessionId: string): bigint | undefined;
}

const LIVE = [WorkSessionStatus.PENDING, WorkSessionStatus.BLOCKED, WorkSessionStatus.ACTIVE];
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 30_000;
const RELEASE_TIMEOUT_MS = 3_000;

/** Starts to watch, claim and renew, until stopped. */
export function startRunner(options: RunnerOptions): RunningRunner {
  const runner = new Runner(options);
  const finished = Promise.all([runner.follow(), runner.renewRegularly()]);
  return {
    stop: () => runner.stop(finished),
    epochOf: (id) => runner.leases.epochOf(id),
  };
}

class Runner {
  readonly leases: HeldLeases;
  readonly #options: RunnerOptions;
  readonly #stopping = new AbortController();
  /** The sessions that want a claim, in the order in which they were seen to. */
  readonly #wanted = new Set<string>();
  readonly #beginning = new Map<string, { readonly done: Promise<void>; readonly stop: AbortController }>();
  #seen = new Set<string>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.leases = new HeldLeases(options);
  }

  async follow(): Promise<void> {
    const { workSessions, agentTypes, world, onProblem } = this.#options;
    const events = resumeWatch<WatchWorkSessionsResponse>({
      open: (resumeToken, signal) =>
        workSessions.watchWorkSessions(
          { agentTypes: [...agentTypes], statuses: LIVE, resumeToken },
          { signal, timeoutMs: 0 },
        ),
      world,
      signal: this.#stopping.signal,
      onBreak: (error) => onProblem({ doing: "watching work sessions", error }),
    });
    for await (const event of events) {
      if (event.kind === "message") await this.#see(event.message);
      else if (event.snapshot) this.#seen = new Set();
    }
  }

  async renewRegularly(): Promise<void> {
    const { renewIntervalMs = 10_000 } = this.#options;
    while (await this.#pause(renewIntervalMs, this.#stopping.signal)) {
      await this.#attempt("renewing leases", undefined, async () => {
        for (const id of await this.leases.renew(this.#stopping.signal)) await this.#letGo(id);
      });
    }
  }

  async stop(finished: Promise<unknown>): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([finished, ...[...this.#beginning.values()].map(({ done }) => done)]);
    await Promise.all(this.leases.ids().map((id) => this.#release(id, "RUNNER_STOPPED")));
  }

  async #see({ event }: WatchWorkSessionsResponse): Promise<void> {
    switch (event.case) {
      case "changed":
        if (event.value.workSession !== undefined) await this.#seeSession(event.value.workSession);
        return;
      case "deleted":
        return this.#seeEnd(event.value.workSessionId);
      case "synced":
        return this.#attempt("ending what is not alive", undefined, () => this.#options.handler.synced(this.#seen));
      case "progress":
      case undefined:
        return;
    }
  }

  async #seeSession(session: WorkSession): Promise<void> {
    this.#seen.add(session.id);
    const reaction = reactTo(session, { name: this.#options.name, heldEpoch: this.leases.epochOf(session.id) });
    if (reaction === "let-go") return this.#letGo(session.id);
    if (reaction === "claim") this.#wanted.add(session.id);
    else this.#wanted.delete(session.id);
    this.#beginWanted();
  }

  async #seeEnd(id: string): Promise<void> {
    this.#wanted.delete(id);
    this.#seen.delete(id);
    await this.#stopBeginning(id);
    this.leases.forget(id);
    await this.#attempt("cleaning up after a session", id, () => this.#options.handler.ended(id));
    this.#beginWanted();
  }

  async #letGo(id: string): Promise<void> {
    this.#wanted.delete(id);
    await this.#stopBeginning(id);
    this.leases.forget(id);
    await this.#attempt("letting a session go", id, () => this.#options.handler.lost(id));
    this.#beginWanted();
  }

  #beginWanted(): void {
    for (const id of this.#wanted) {
      if (this.#stopping.signal.aborted || this.#load() >= (this.#options.capacity ?? Infinity)) return;
      if (!this.#beginning.has(id)) this.#startBeginning(id);
    }
  }

  #load(): number {
    return new Set([...this.leases.ids(), ...this.#beginning.keys()]).size;
  }

  #startBeginning(id: string): void {
    const stop = new AbortController();
    const done = this.#begin(id, AbortSignal.any([stop.signal, this.#stopping.signal])).finally(() => {
      this.#beginning.delete(id);
      this.#beginWanted();
    });
    this.#beginning.set(id, { done, stop });
  }

  async #stopBeginning(id: string): Promise<void> {
    const beginning = this.#beginning.get(id);
    beginning?.stop.abort();
    await beginning?.done;
  }

  async #begin(id: string, signal: AbortSignal): Promise<void> {
    const claim = await this.#claim(id, signal);
    if (claim === undefined) return;
    const { id: sessionId, lease } = claim.workSession;
    if (lease === undefined) throw new Error("task-service answered a claim without a lease");
    this.leases.hold(sessionId, lease.epoch);
    await this.#persist("beginning a session", id, signal, () => this.#options.handler.claimed(claim, lease.epoch));
  }

  #claim(id: string, signal: AbortSignal): Promise<Claim | undefined> {
    return this.#persist("claiming a session", id, signal, async () => {
      if (!this.#wanted.has(id)) return undefined;
      const claim = await this.#tryClaim(id);
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

  async #release(id: string, reason: string): Promise<void> {
    const epoch = this.leases.epochOf(id);
    if (epoch === undefined) return;
    this.leases.forget(id);
    const deadline = { timeoutMs: RELEASE_TIMEOUT_MS };
    await this.#attempt("releasing a session", id, () =>
      this.#options.runners.releaseWorkSession({ id, epoch, reason }, deadline),
    );
  }

  /** Does it until it succeeds or is no longer wanted, ever more slowly. */
  async #persist<T>(doing: string, id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await work();
      } catch (error) {
        this.#options.onProblem({ doing, workSessionId: id, error });
        await this.#pause(Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS), signal);
      }
    }
    return undefined;
  }

  /** Waits, and tells whether the wait was not cut short. */
  async #pause(durationMs: number, signal: AbortSignal): Promise<boolean> {
    await this.#options.world.sleep(durationMs, signal).catch(() => undefined);
    return !signal.aborted;
  }

  async #attempt(doing: string, workSessionId: string | undefined, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.onProblem({ doing, error, ...(workSessionId === undefined ? {} : { workSessionId }) });
    }
  }
}

/** Taken, ended or gone: nothing to try again, the watch tells what comes of it. */
const OUT_OF_REACH: ReadonlySet<Code> = new Set([Code.FailedPrecondition, Code.NotFound, Code.Aborted]);
