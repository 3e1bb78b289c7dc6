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
// Failure. A broken watch resumes (see the client's resume-watch.ts). A claim that is lost to another runner is normal. A claim
// that fails otherwise is tried again while the session still wants it. A handler that throws is called again, ever
// more slowly, for as long as the lease is held: what stopped it (a database that restarts) is expected to pass.

import { resumeWatch } from "@helix-zed/client";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WatchWorkSessionsResponse } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { ClaimedSessions } from "./claimed-sessions.ts";
import { HeldLeases } from "./held-leases.ts";
import { reactTo } from "./reaction.ts";
import type { RunnerOptions } from "./runner-options.ts";

/** A runner at work. */
export interface RunningRunner {
  /** Stops watching and gives every session back at once. */
  stop(): Promise<void>;
  /** The epoch under which a session is held, if it is. */
  epochOf(workSessionId: string): bigint | undefined;
}

const LIVE = [WorkSessionStatus.PENDING, WorkSessionStatus.BLOCKED, WorkSessionStatus.ACTIVE];
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
  readonly #claimed: ClaimedSessions;
  #seen = new Set<string>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.leases = new HeldLeases(options);
    this.#claimed = new ClaimedSessions(options, this.leases, this.#stopping.signal);
  }

  async follow(): Promise<void> {
    const { workSessions, agentTypes, world, onProblem } = this.#options;
    const filter = { agentTypes: [...agentTypes], statuses: LIVE };
    const events = resumeWatch<WatchWorkSessionsResponse>({
      open: (resumeToken, signal) =>
        workSessions.watchWorkSessions({ ...filter, resumeToken }, { signal, timeoutMs: 0 }),
      clock: world,
      signal: this.#stopping.signal,
    });
    for await (const event of events) {
      if (event.kind === "message") await this.#see(event.message);
      else if (event.kind === "broken") onProblem({ doing: "watching work sessions", error: event.error });
      else if (event.snapshot) this.#seen = new Set();
    }
  }

  async renewRegularly(): Promise<void> {
    const { renewIntervalMs = 10_000, world } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      await world.sleep(renewIntervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#attempt("renewing leases", undefined, async () => {
        for (const id of await this.leases.renew(signal)) await this.#letGo(id);
      });
    }
  }

  async stop(finished: Promise<unknown>): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([finished, this.#claimed.settled()]);
    await Promise.all(this.leases.ids().map((id) => this.#release(id)));
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
    if (reaction === "let-go") await this.#letGo(session.id);
    else if (reaction === "claim") this.#claimed.want(session.id);
    else this.#claimed.forget(session.id);
  }

  async #seeEnd(id: string): Promise<void> {
    this.#seen.delete(id);
    await this.#drop(id, "cleaning up after a session", () => this.#options.handler.ended(id));
  }

  async #letGo(id: string): Promise<void> {
    await this.#drop(id, "letting a session go", () => this.#options.handler.lost(id));
  }

  async #drop(id: string, doing: string, tell: () => Promise<void>): Promise<void> {
    await this.#claimed.stop(id);
    this.leases.forget(id);
    await this.#attempt(doing, id, tell);
    this.#claimed.beginWanted();
  }

  async #release(id: string): Promise<void> {
    const epoch = this.leases.epochOf(id);
    if (epoch === undefined) return;
    this.leases.forget(id);
    const request = { id, epoch, reason: "RUNNER_STOPPED" };
    await this.#attempt("releasing a session", id, () =>
      this.#options.runners.releaseWorkSession(request, { timeoutMs: RELEASE_TIMEOUT_MS }),
    );
  }

  async #attempt(doing: string, workSessionId: string | undefined, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.onProblem({ doing, error, ...(workSessionId === undefined ? {} : { workSessionId }) });
    }
  }
}
