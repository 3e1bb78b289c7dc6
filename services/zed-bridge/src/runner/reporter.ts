// The reporter
//
// What task-service is owed is written down in the transaction that caused it; here it is delivered, until task-service
// has taken it. A bridge that is killed between the two delivers it after its restart; one that is killed between the
// delivery and writing that down delivers it twice, and task-service takes the second for what it is. So nothing is lost
// and nothing is doubled. Reports of different sessions do not wait for each other; those that fail are tried again ever
// more slowly.
import type { Client } from "@connectrpc/connect";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { listReports, type Report } from "../application/list-reports.ts";
import { recordReported } from "../application/record-reported.ts";
import { releaseThread } from "../application/release-thread.ts";
import type { Outcome } from "../domain/thread-mapping.ts";
import { unlessSettled } from "./settled-report.ts";

/** What a reporter works with. */
export interface ReporterOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly log: Log;
}

const POLL_MS = 5_000;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 30_000;
const AT_ONCE_MAX = 8;
const CALL_TIMEOUT_MS = 10_000;
const LAST_TRY_MS = 1_500;

const statuses: Readonly<Record<Outcome, WorkSessionStatus>> = {
  active: WorkSessionStatus.ACTIVE,
  completed: WorkSessionStatus.COMPLETED,
  failed: WorkSessionStatus.FAILED,
  cancelled: WorkSessionStatus.CANCELLED,
};

interface Setback {
  readonly failures: number;
  readonly until: number;
}

/** Delivers the reports that task-service is owed. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #stopping = new AbortController();
  readonly #setbacks = new Map<string, Setback>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Begins. */
  start(): void {
    this.#running = this.#run();
  }

  /** Tries once more to deliver what is owed, and ends; what is left waits for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { world } = this.#options.app;
    await Promise.race([this.#running.then(() => this.#deliverOwed(LAST_TRY_MS)), world.sleep(LAST_TRY_MS)]);
  }

  async #run(): Promise<void> {
    const { app } = this.#options;
    const { signal } = this.#stopping;
    const ear = app.database.doorbell.listen("reports");
    while (!signal.aborted) {
      const waitMs = await this.#deliverOwed(CALL_TIMEOUT_MS);
      await ear.wait(waitMs, signal).catch(() => {});
    }
    ear.close();
  }

  /** Delivers what is due; gives the time until something is again. */
  async #deliverOwed(timeoutMs: number): Promise<number> {
    const { app, runner, log } = this.#options;
    try {
      const owed = (await listReports(app, { runner })).filter(canBeDelivered);
      const nowMs = app.world.now().getTime();
      const due = owed.filter(({ mappingId }) => (this.#setbacks.get(mappingId)?.until ?? 0) <= nowMs);
      for (let start = 0; start < due.length; start += AT_ONCE_MAX) {
        await Promise.all(due.slice(start, start + AT_ONCE_MAX).map((report) => this.#deliver(report, timeoutMs)));
      }
      return this.#nextTryMs(owed);
    } catch (error) {
      log.warn({ err: error }, "reports could not be looked up");
      return POLL_MS;
    }
  }

  async #deliver(report: Report, timeoutMs: number): Promise<void> {
    const { app, workSessions, log } = this.#options;
    const { mappingId, workSessionId, outcome } = report;
    try {
      const settlement = await unlessSettled(workSessions, workSessionId, () => this.#send(report, timeoutMs));
      log.info({ workSession: workSessionId, outcome, settlement }, "a report is settled");
      if (settlement !== "lease-lost") await recordReported(app, { mappingId, outcome });
      // It is kept: whoever claims the session next delivers it, under the new lease.
      else if (report.leaseEpoch !== null) await releaseThread(app, { workSessionId, leaseEpoch: report.leaseEpoch });
      this.#setbacks.delete(mappingId);
    } catch (error) {
      this.#postpone(mappingId);
      log.warn({ err: error, workSession: workSessionId, outcome }, "a report is not delivered yet");
    }
  }

  async #send(report: Report, timeoutMs: number): Promise<void> {
    const { workSessionId, outcome, reason, summary, error, leaseEpoch } = report;
    const hasResult = outcome !== "active" && (summary !== "" || error !== "");
    await this.#options.workSessions.updateWorkSessionStatus(
      {
        id: workSessionId,
        status: statuses[outcome],
        reason,
        leaseEpoch: leaseEpoch ?? 0n,
        ...(hasResult ? { result: { summary, error } } : {}),
      },
      { timeoutMs },
    );
  }

  #postpone(mappingId: string): void {
    const failures = (this.#setbacks.get(mappingId)?.failures ?? 0) + 1;
    const pauseMs = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS);
    this.#setbacks.set(mappingId, { failures, until: this.#options.app.world.now().getTime() + pauseMs });
  }

  #nextTryMs(owed: readonly Report[]): number {
    const known = new Set(owed.map(({ mappingId }) => mappingId));
    for (const mappingId of this.#setbacks.keys()) if (!known.has(mappingId)) this.#setbacks.delete(mappingId);
    const nowMs = this.#options.app.world.now().getTime();
    const waits = Array.from(this.#setbacks.values(), ({ until }) => until - nowMs);
    return Math.max(1, Math.min(POLL_MS, ...waits));
  }
}

/** Without a lease only that a person has given up can be said. */
function canBeDelivered({ leaseEpoch, outcome }: Report): boolean {
  return leaseEpoch !== null || outcome === "cancelled";
}
