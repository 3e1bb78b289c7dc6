// The beginning of a watch: what matches now, and where the log is at the same moment
//
// One transaction sees one state of the database. In it are read: the last number of the log, the rows that are committed
// but have no number yet (what they say is in the snapshot already, so the watch skips them when they get their number),
// and what matches the filter, page by page. A snapshot of one page is read at once and holds no connection afterwards. A
// longer one holds one while it is delivered, so few may be open at a time, and not for long.

import { Refusal } from "@helix-zed/domain";
import type { PersistenceReason } from "@helix-zed/persistence";
import { refuseIfUnavailable } from "@helix-zed/persistence";
import { IsolationLevel } from "@mikro-orm/core";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import type { TaskFacts } from "../domain/task.ts";
import { hasTaskEnded } from "../domain/task-lifecycle.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { readBounds, readUnnumbered } from "./change-reader.ts";
import { conditionSql } from "./condition-sql.ts";
import type { LongSnapshots } from "./long-snapshots.ts";
import { type Tables, taskFromRow, workSessionFromRow } from "./rows.ts";
import type { WatchFilter } from "./watch-filter.ts";

/** Something that can be watched. */
export type WatchedResource =
  | { readonly kind: "task"; readonly task: TaskFacts }
  | { readonly kind: "work_session"; readonly workSession: WorkSessionFacts };

/** The state at one moment. */
export interface Snapshot {
  readonly epoch: string;
  /** The last number of the log whose change is in the snapshot together with all before it. */
  readonly head: number;
  /** Rows of the log that will get higher numbers, but whose changes are in the snapshot. */
  readonly unnumbered: readonly number[];
  /** Of the filter's tasks: the ids that exist, and whether their task has ended. */
  readonly namedTasks: ReadonlyMap<string, { readonly hasEnded: boolean }>;
  pages(): AsyncGenerator<readonly WatchedResource[], void, undefined>;
  close(): Promise<void>;
}

interface Source {
  readonly orm: MikroORM;
  readonly feed: ChangeFeed;
  readonly longSnapshots: LongSnapshots;
}

const PAGE_RESOURCES = 500;
/** More do not fit into a resume token. */
const UNNUMBERED_MAX = 200;
const ATTEMPTS_MAX = 5;

/** Reads the state of now. */
export async function openSnapshot(source: Source, filter: WatchFilter, signal: AbortSignal): Promise<Snapshot> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    signal.throwIfAborted();
    await source.feed.refresh();
    const snapshot = await readSnapshot(source, filter);
    if (snapshot.unnumbered.length <= UNNUMBERED_MAX) return snapshot;
    await snapshot.close();
  }
  const message = "Too much is being changed at this moment. Try again.";
  throw new Refusal<PersistenceReason>("TRANSACTION_CONFLICT", message, {}, { retryAfterMs: 1_000 });
}

async function readSnapshot(source: Source, filter: WatchFilter): Promise<Snapshot> {
  const em = source.orm.em.fork();
  const end = async (): Promise<void> => {
    if (em.isInTransaction()) await em.rollback().catch(() => {});
  };
  try {
    await em.begin({ isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
    const { epoch, head } = await readBounds(em);
    const unnumbered = await readUnnumbered(em, filter.tenant);
    const namedTasks = await readNamedTasks(em, filter);
    const pages = readPages(em, filter);
    const first = await readFirst(pages);
    const facts = { epoch, head, unnumbered, namedTasks };
    if (!first.isAll) return { ...facts, ...deliverLong(source.longSnapshots, { first: first.resources, pages, end }) };
    await end();
    return { ...facts, pages: () => join(first.resources, pages), close: end };
  } catch (error) {
    await end();
    throw refuseIfUnavailable(error);
  }
}

interface LongDelivery {
  readonly first: readonly WatchedResource[];
  readonly pages: Pages;
  readonly end: () => Promise<void>;
}

/** Page by page, from a transaction that stays open until the reader is done or its time is up. */
function deliverLong(
  longSnapshots: LongSnapshots,
  { first, pages, end }: LongDelivery,
): Pick<Snapshot, "pages" | "close"> {
  const open = longSnapshots.begin(() => void end());
  const inTime = async function* (): Pages {
    try {
      for await (const page of pages) {
        open.requireInTime();
        yield page;
        // What is read next is of the same transaction, or not at all.
        open.requireInTime();
      }
    } catch (error) {
      open.requireInTime();
      throw error;
    }
  };
  const close = async (): Promise<void> => {
    open.close();
    await end();
  };
  return { pages: () => join(first, inTime()), close };
}

type Pages = AsyncGenerator<readonly WatchedResource[], void, undefined>;

/** About one page; whether that is all there is. */
async function readFirst(pages: Pages): Promise<{ resources: WatchedResource[]; isAll: boolean }> {
  const resources: WatchedResource[] = [];
  while (resources.length < PAGE_RESOURCES) {
    const next = await pages.next();
    if (next.done === true) return { resources, isAll: true };
    resources.push(...next.value);
  }
  return { resources, isAll: false };
}

async function* join(first: readonly WatchedResource[], rest: Pages): Pages {
  yield first;
  try {
    yield* rest;
  } catch (error) {
    throw refuseIfUnavailable(error);
  }
}

async function* readPages(em: EntityManager, filter: WatchFilter): Pages {
  for (let after: string | undefined = ""; after !== undefined && filter.tasks !== null;) {
    const page = await readTasks(em, filter, after);
    yield page.map((task) => ({ kind: "task", task }));
    after = nextAfter(page);
  }
  for (let after: string | undefined = ""; after !== undefined && filter.workSessions !== null;) {
    const page = await readWorkSessions(em, filter, after);
    yield page.map((workSession) => ({ kind: "work_session", workSession }));
    after = nextAfter(page);
  }
}

function nextAfter(page: readonly { readonly id: string }[]): string | undefined {
  return page.length < PAGE_RESOURCES ? undefined : page.at(-1)?.id;
}

async function readTasks(em: EntityManager, { tenant, taskIds, tasks }: WatchFilter, after: string) {
  const { statuses = [], where } = tasks ?? {};
  const found = await em
    .getKysely<Tables>()
    .selectFrom("tasks")
    .select((eb) => eb.fn.toJson("tasks").as("row"))
    .where("id", ">", after)
    .$if(tenant !== null, (query) => query.where("tenant", "=", tenant))
    .$if(taskIds.length > 0, (query) => query.where("id", "in", taskIds))
    .$if(statuses.length > 0, (query) => query.where("status", "in", statuses))
    .$if(where !== undefined, (query) => (where === undefined ? query : query.where(conditionSql(where))))
    .orderBy("id")
    .limit(PAGE_RESOURCES)
    .execute();
  return found.map(({ row }) => taskFromRow(row));
}

async function readWorkSessions(em: EntityManager, { tenant, taskIds, workSessions }: WatchFilter, after: string) {
  const { agentTypes = [], statuses = [], where } = workSessions ?? {};
  const found = await em
    .getKysely<Tables>()
    .selectFrom("work_sessions")
    .select((eb) => eb.fn.toJson("work_sessions").as("row"))
    .where("id", ">", after)
    .$if(tenant !== null, (query) => query.where("tenant", "=", tenant))
    .$if(taskIds.length > 0, (query) => query.where("task_id", "in", taskIds))
    .$if(agentTypes.length > 0, (query) => query.where("agent_type", "in", agentTypes))
    .$if(statuses.length > 0, (query) => query.where("status", "in", statuses))
    .$if(where !== undefined, (query) => (where === undefined ? query : query.where(conditionSql(where))))
    .orderBy("id")
    .limit(PAGE_RESOURCES)
    .execute();
  return found.map(({ row }) => workSessionFromRow(row));
}

async function readNamedTasks(em: EntityManager, { tenant, taskIds }: WatchFilter): Promise<Snapshot["namedTasks"]> {
  if (taskIds.length === 0) return new Map();
  const found = await em
    .getKysely<Tables>()
    .selectFrom("tasks")
    .select(["id", "status"])
    .where("id", "in", taskIds)
    .$if(tenant !== null, (query) => query.where("tenant", "=", tenant))
    .execute();
  return new Map(found.map(({ id, status }) => [id, { hasEnded: hasTaskEnded(status) }]));
}
