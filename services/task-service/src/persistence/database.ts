import { type Actor, tenantOf, type World } from "@helix-zed/domain";
import {
  closeDatabase,
  inTenant,
  listenTo,
  openDatabase,
  refuseBrokenSchema,
  refuseIfUnavailable,
  type Statements,
  statementsOf,
  type Transaction,
  transactDirectly,
} from "@helix-zed/persistence";
import type { MikroORM } from "@mikro-orm/postgresql";
import { defaultLimits, type Limits } from "../domain/limits.ts";
import { SessionRecord } from "../domain/session-record.ts";
import { Task } from "../domain/task.ts";
import { WorkSession } from "../domain/work-session.ts";
import { ChangeFeed, type FeedConnections } from "./change-feed.ts";
import { compactChanges, type LogRetention } from "./change-reader.ts";
import { ChangeRecorder } from "./change-log.ts";
import { LeaseTable } from "./lease-table.ts";
import { LongSnapshots } from "./long-snapshots.ts";
import { migrationNames } from "./migrate.ts";
import { RequestLedger } from "./request-ledger.ts";
import { TaskReader, TaskRepository } from "./task-repository.ts";
import type { WatchFilter } from "./watch-filter.ts";
import { openSnapshot, type Snapshot } from "./watch-snapshot.ts";
import { WorkSessionReader, WorkSessionRepository } from "./work-session-repository.ts";

/** What a use case may touch: one transaction, seen as one actor. */
export interface Unit {
  readonly tasks: TaskRepository;
  readonly workSessions: WorkSessionRepository;
  readonly requests: RequestLedger;
}

/** What a use case that changes nothing may touch. */
export interface View {
  readonly tasks: TaskReader;
  readonly workSessions: WorkSessionReader;
  readonly leases: LeaseTable;
}

type WatchLimits = Pick<
  Limits,
  "longSnapshotsMax" | "snapshotMsMax" | "watchNotifyIntervalMs" | "watchPollMs" | "watchTailChangesMax"
>;

/** How to open the database. */
export interface OpenOptions extends Partial<WatchLimits> {
  readonly url: string;
  readonly world: Pick<World, "sleep" | "random">;
  readonly warn: (message: string) => void;
}

const APPLICATION_NAME = "task-service";
const FEED_CONNECTIONS_MAX = 2;

/** The only door to the database. */
export class Database {
  /** Where watches read. */
  readonly feed: ChangeFeed;
  readonly #orm: MikroORM;
  readonly #statements: Statements;
  readonly #feedOrm: MikroORM;
  readonly #longSnapshots: LongSnapshots;
  readonly #closing = new AbortController();
  readonly #background: readonly Promise<void>[];

  private constructor({ orm, ownOrm }: FeedConnections, feed: ChangeFeed, options: OpenOptions) {
    const { url, world, warn } = options;
    this.#orm = orm;
    this.#statements = statementsOf(orm);
    this.#feedOrm = ownOrm;
    this.feed = feed;
    this.#longSnapshots = new LongSnapshots({ ...defaultLimits, ...options });
    const { signal } = this.#closing;
    const channel = { url, applicationName: `${APPLICATION_NAME} listener`, channel: "change_log" };
    this.#background = [feed.follow(signal), listenTo({ ...channel, doorbell: feed.hints, world, signal, warn })];
  }

  /** Connects to a migrated database and begins to follow its log. */
  static async open(options: OpenOptions): Promise<Database> {
    const { url, world, warn } = options;
    const { watchPollMs, watchNotifyIntervalMs, watchTailChangesMax } = { ...defaultLimits, ...options };
    const entities = [Task, SessionRecord, WorkSession];
    const shared = { url, applicationName: APPLICATION_NAME, rowSecurity: true, warn };
    const orm = await openDatabase({ ...shared, entities });
    // Numbering waits for nobody: all other connections may be busy.
    const ownOrm = await openDatabase({ ...shared, entities: [], connectionsMax: FEED_CONNECTIONS_MAX });
    const feed = await ChangeFeed.open({
      orm,
      ownOrm,
      world,
      pollMs: watchPollMs,
      notifyIntervalMs: watchNotifyIntervalMs,
      tailChangesMax: watchTailChangesMax,
      warn,
    });
    return new Database({ orm, ownOrm }, feed, options);
  }

  /**
   * Runs `work` in one transaction, again if PostgreSQL asks for it; what it changed is written and appended to the log
   * together with the commit. `work` must touch nothing but the unit.
   */
  async transact<T>(actor: Actor, work: (unit: Unit) => Promise<T>): Promise<T> {
    let hasChanged = false;
    const result = await inTenant(tenantOf(actor), () =>
      transactDirectly(this.#orm, async (transaction) => {
        const { unit, recorder } = this.#begin(transaction, actor);
        const value = await work(unit);
        const writing = recorder.writing();
        hasChanged = writing !== null;
        transaction.finishWith([...(writing === null ? [] : [writing]), ...unit.requests.keeping()]);
        return value;
      }),
    );
    if (hasChanged) this.feed.nudge();
    return result;
  }

  #begin(transaction: Transaction, actor: Actor): { unit: Unit; recorder: ChangeRecorder } {
    const em = this.#orm.em.fork();
    const recorder = new ChangeRecorder(em);
    const side = { transaction, em, recorder };
    const unit = {
      tasks: new TaskRepository(side, actor),
      workSessions: new WorkSessionRepository(side, actor),
      requests: new RequestLedger(transaction),
    };
    return { unit, recorder };
  }

  /** Runs single statements that change nothing but leases, each on its own. */
  async view<T>(actor: Actor, work: (view: View) => Promise<T>): Promise<T> {
    const view = {
      tasks: new TaskReader(this.#statements, actor),
      workSessions: new WorkSessionReader(this.#statements, actor),
      leases: new LeaseTable(this.#statements, actor),
    };
    try {
      return await inTenant(tenantOf(actor), () => work(view));
    } catch (error) {
      throw refuseIfUnavailable(error);
    }
  }

  /** What matches a filter now, and where the log is at this moment. To be closed. */
  async openSnapshot(filter: WatchFilter, signal: AbortSignal): Promise<Snapshot> {
    const source = { orm: this.#orm, feed: this.feed, longSnapshots: this.#longSnapshots };
    return inTenant(filter.tenant, () => openSnapshot(source, filter, signal));
  }

  /** Drops a batch of what the log need not keep any more. Says how many changes. */
  async compactLog(retention: LogRetention): Promise<number> {
    return inTenant(null, () => compactChanges(this.#orm.em.fork(), retention));
  }

  /** Rejects if the database does not answer, or if a newer version of the service has broken its schema for this one. */
  async check(): Promise<void> {
    const em = this.#orm.em.fork();
    await refuseBrokenSchema((statement) => em.execute(statement), migrationNames);
  }

  /** Lets go of all connections. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The database is being closed."));
    await Promise.all(this.#background);
    await Promise.all([closeDatabase(this.#orm), closeDatabase(this.#feedOrm)]);
  }
}
