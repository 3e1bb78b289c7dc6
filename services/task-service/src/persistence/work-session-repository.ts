import type { Actor } from "@helix-zed/domain";
import { tenantOf } from "@helix-zed/domain";
import type { Statements } from "@helix-zed/persistence";
import type { EntityManager } from "@mikro-orm/postgresql";
import { workSessionNotFound } from "../domain/reason.ts";
import { SessionRecord } from "../domain/session-record.ts";
import type { TaskFacts } from "../domain/task.ts";
import { WorkSession, type WorkSessionFacts } from "../domain/work-session.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import type { ChangeRecorder } from "./change-log.ts";
import { conditionSql } from "./condition-sql.ts";
import { afterKey, orderSql } from "./keyset.ts";
import type { PageQuery } from "./page-query.ts";
import { queries, runPage, runQuery } from "./queries.ts";
import {
  sessionRecordFromRow,
  type SessionRow,
  taskFromRow,
  type TaskRow,
  workSessionFromRow,
  type WorkSessionRow,
} from "./rows.ts";
import type { WriteSide } from "./write-side.ts";

/** Which page of a task's work sessions. */
export interface WorkSessionPage extends PageQuery {
  readonly taskId: string;
}

/** A locked work session, and what else was so when it was locked. */
export interface HeldWorkSession {
  readonly session: WorkSession;
  /** The database's time, by which leases run. */
  readonly databaseNow: Date;
}

const mine = "($2::text is null or tenant = $2)";
const selectWorkSession = `select to_json(work_sessions) as row from work_sessions where id = $1 and ${mine}`;
const lockWorkSession = `${selectWorkSession} for update`;
const lockAllOfTask = `
  select to_json(work_sessions) as row from work_sessions where task_id = $1 and ${mine} order by id for update`;

/** What is read beside the row is read, and the clock looked at, when the row is held. */
function holding(wait: "" | "skip locked", beside: string): string {
  return `
    with held as materialized (select * from work_sessions where id = $1 and ${mine} for update ${wait})
    select to_json(held) as row, to_json(clock_timestamp()) #>> '{}' as now, ${beside} from held`;
}

const besideTask = "(select to_json(t) from tasks t where t.id = held.task_id) as task";
const besideSiblings =
  "array(select status from work_sessions w where w.task_id = held.task_id and w.id <> held.id) as siblings";
const lockToClaim = holding("", besideTask);
const lockAmongSiblings = holding("", besideSiblings);
const lockFreeAmongSiblings = holding("skip locked", besideSiblings);

interface HeldRow {
  readonly row: WorkSessionRow;
  readonly now: string;
}

type ClaimRow = HeldRow & { readonly task: TaskRow };
type SiblingRow = HeldRow & { readonly siblings: WorkSessionStatus[] };

/** The work sessions that one actor may see. There is no way to ask it for anyone else's. */
export class WorkSessionReader {
  protected readonly statements: Statements;
  protected readonly tenant: string | null;

  constructor(statements: Statements, actor: Actor) {
    this.statements = statements;
    this.tenant = tenantOf(actor);
  }

  /** Reads a work session. */
  async get(id: string): Promise<WorkSessionFacts> {
    const [found] = await this.find<{ row: WorkSessionRow }>(selectWorkSession, id);
    if (found === undefined) throw workSessionNotFound(id);
    return workSessionFromRow(found.row);
  }

  /** Up to `limit` work sessions of a task that match, in their order. */
  async page(asked: WorkSessionPage): Promise<WorkSessionFacts[]> {
    const { taskId, where, order, after, limit } = asked;
    let query = this.#select().where("task_id", "=", taskId);
    if (where !== null) query = query.where(conditionSql(where));
    if (after !== null) query = query.where(afterKey(order, after));
    for (const term of orderSql(order)) query = query.orderBy(term);
    const found = await runPage(this.statements, query.limit(limit), asked);
    return found.map(({ row }) => workSessionFromRow(row));
  }

  /** All work sessions of a task, oldest first, but no more than `limit`. */
  async allOf(taskId: string, limit: number): Promise<WorkSessionFacts[]> {
    const query = this.#select().where("task_id", "=", taskId).orderBy("id").limit(limit);
    const found = await runQuery(this.statements, query);
    return found.map(({ row }) => workSessionFromRow(row));
  }

  protected find<Row extends object>(text: string, id: string): Promise<Row[]> {
    return this.statements.run<Row>(text, [id, this.tenant]);
  }

  #select() {
    const rows = queries.selectFrom("work_sessions").select((eb) => eb.fn.toJson("work_sessions").as("row"));
    return this.tenant === null ? rows : rows.where("tenant", "=", this.tenant);
  }
}

/** The work sessions that one actor may change, in one transaction. */
export class WorkSessionRepository extends WorkSessionReader {
  readonly #em: EntityManager;
  readonly #recorder: ChangeRecorder;

  constructor({ transaction, em, recorder }: WriteSide, actor: Actor) {
    super(transaction, actor);
    this.#em = em;
    this.#recorder = recorder;
  }

  /** Finds a work session and holds its row until the transaction ends. */
  async lock(id: string): Promise<WorkSession> {
    const [found] = await this.find<{ row: WorkSessionRow }>(lockWorkSession, id);
    if (found === undefined) throw workSessionNotFound(id);
    return this.#manage(found.row);
  }

  /** The same, with the work session's task. */
  async lockToClaim(id: string): Promise<HeldWorkSession & { readonly task: TaskFacts }> {
    const [found] = await this.find<ClaimRow>(lockToClaim, id);
    if (found === undefined) throw workSessionNotFound(id);
    return { ...this.#hold(found), task: taskFromRow(found.task) };
  }

  /** The same, with the statuses of the other work sessions of its task. To be called with the task's row held. */
  async lockAmongSiblings(id: string): Promise<HeldWorkSession & { readonly siblings: readonly WorkSessionStatus[] }> {
    const [found] = await this.find<SiblingRow>(lockAmongSiblings, id);
    if (found === undefined) throw workSessionNotFound(id);
    return { ...this.#hold(found), siblings: found.siblings };
  }

  /** The same, or nothing if the work session is gone or somebody else holds it. */
  async lockIfFree(id: string): Promise<Awaited<ReturnType<WorkSessionRepository["lockAmongSiblings"]>> | null> {
    const [found] = await this.find<SiblingRow>(lockFreeAmongSiblings, id);
    return found === undefined ? null : { ...this.#hold(found), siblings: found.siblings };
  }

  /** Holds the rows of all work sessions of a task, oldest first. To be called with the task's row held. */
  async lockAllOf(taskId: string): Promise<WorkSession[]> {
    const found = await this.find<{ row: WorkSessionRow }>(lockAllOfTask, taskId);
    return found.map(({ row }) => this.#manage(row));
  }

  /** Adds a new work session and the record of its Helix session. */
  add(facts: Omit<WorkSessionFacts, "version">, origin: SessionRecord["origin"]): WorkSession {
    const { id: workSessionId, helixSessionId, tenant, taskId, agentType, createdAt } = facts;
    const record = { id: helixSessionId, tenant, taskId, workSessionId, agentType, createdAt };
    this.#em.create(SessionRecord, { ...record, role: "work_session", origin });
    const session = this.#em.create(WorkSession, { ...facts });
    this.#recorder.added(session);
    return session;
  }

  /** Adds the record of the Helix session that coordinates a task. */
  addCoordinator(facts: Pick<SessionRecord, "id" | "tenant" | "taskId" | "createdAt">): void {
    const record = { ...facts, workSessionId: null, agentType: "" };
    this.#em.create(SessionRecord, { ...record, role: "task_coordinator", origin: "minted" });
  }

  /** The record of the Helix session of a locked work session. */
  async recordOf({ helixSessionId }: WorkSession): Promise<SessionRecord> {
    const text = "select to_json(sessions) as row from sessions where id = $1";
    const [found] = await this.statements.run<{ row: SessionRow }>(text, [helixSessionId]);
    if (found === undefined) throw new Error(`There is no record of the Helix session ${helixSessionId}.`);
    return this.#em.merge(SessionRecord, sessionRecordFromRow(found.row));
  }

  /** Puts the record of Helix's own session in the place of the one that a locked work session has. */
  rebind(
    session: WorkSession,
    minted: SessionRecord,
    { helixSessionId, now }: { readonly helixSessionId: string; readonly now: Date },
  ): void {
    const { tenant, taskId, workSessionId, agentType, role } = minted;
    const facts = { tenant, taskId, workSessionId, agentType, role, createdAt: now };
    this.#em.create(SessionRecord, { ...facts, id: helixSessionId, origin: "helix" });
    session.bind(helixSessionId, now);
    this.#em.remove(minted);
  }

  /** Says that a locked work session goes with its task. */
  removedWithTask(session: WorkSession): void {
    this.#recorder.removed(session);
  }

  #hold({ row, now }: HeldRow): HeldWorkSession {
    return { session: this.#manage(row), databaseNow: new Date(now) };
  }

  /** One that is held already is as this transaction has made it. */
  #manage(row: WorkSessionRow): WorkSession {
    const known = this.#em.getUnitOfWork().getById(WorkSession, row.id);
    if (known !== undefined) return known;
    const session = this.#em.merge(WorkSession, workSessionFromRow(row));
    this.#recorder.locked(session);
    return session;
  }
}
