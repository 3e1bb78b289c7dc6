import type { Actor } from "@helix-zed/domain";
import { tenantOf } from "@helix-zed/domain";
import { runStatement } from "@helix-zed/persistence";
import { type FilterQuery, LockMode } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { workSessionNotFound } from "../domain/reason.ts";
import { SessionRecord, type SessionOrigin } from "../domain/session-record.ts";
import { WorkSession, type WorkSessionFacts } from "../domain/work-session.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import type { ChangeRecorder } from "./change-log.ts";
import { conditionSql } from "./condition-sql.ts";
import { afterKey, orderSql } from "./keyset.ts";
import type { PageQuery } from "./page-query.ts";
import { type Tables, workSessionFromRow, type WorkSessionRow } from "./rows.ts";

/** Which page of a task's work sessions. */
export interface WorkSessionPage extends PageQuery {
  readonly taskId: string;
}

const selectWorkSession = `
  select to_json(work_sessions) as row from work_sessions where id = $1 and ($2::text is null or tenant = $2)`;

/** The work sessions that one actor may see. There is no way to ask it for anyone else's. */
export class WorkSessionReader {
  protected readonly em: EntityManager;
  protected readonly tenant: string | null;

  constructor(em: EntityManager, actor: Actor) {
    this.em = em;
    this.tenant = tenantOf(actor);
  }

  /** Reads a work session. */
  async get(id: string): Promise<WorkSessionFacts> {
    const [found] = await runStatement<{ row: WorkSessionRow }>(this.em, selectWorkSession, [id, this.tenant]);
    if (found === undefined) throw workSessionNotFound(id);
    return workSessionFromRow(found.row);
  }

  /** Up to `limit` work sessions of a task that match, in their order. */
  async page({ taskId, where, order, after, limit }: WorkSessionPage): Promise<WorkSessionFacts[]> {
    let query = this.#select().where("task_id", "=", taskId);
    if (where !== null) query = query.where(conditionSql(where));
    if (after !== null) query = query.where(afterKey(order, after));
    for (const term of orderSql(order)) query = query.orderBy(term);
    const found = await query.limit(limit).execute();
    return found.map(({ row }) => workSessionFromRow(row));
  }

  /** All work sessions of a task, oldest first, but no more than `limit`. */
  async allOf(taskId: string, limit: number): Promise<WorkSessionFacts[]> {
    const found = await this.#select().where("task_id", "=", taskId).orderBy("id").limit(limit).execute();
    return found.map(({ row }) => workSessionFromRow(row));
  }

  #select() {
    const rows = this.em
      .getKysely<Tables>()
      .selectFrom("work_sessions")
      .select((eb) => eb.fn.toJson("work_sessions").as("row"));
    return this.tenant === null ? rows : rows.where("tenant", "=", this.tenant);
  }
}

/** The work sessions that one actor may change, in one transaction. */
export class WorkSessionRepository extends WorkSessionReader {
  readonly #recorder: ChangeRecorder;

  constructor(em: EntityManager, actor: Actor, recorder: ChangeRecorder) {
    super(em, actor);
    this.#recorder = recorder;
  }

  /** Finds a work session and holds its row until the transaction ends. */
  async lock(id: string): Promise<WorkSession> {
    const [session] = await this.#lock({ id }, LockMode.PESSIMISTIC_WRITE);
    if (session === undefined) throw workSessionNotFound(id);
    return session;
  }

  /** The same, or nothing if the work session is gone or somebody else holds it. */
  async lockIfFree(id: string): Promise<WorkSession | null> {
    const [session] = await this.#lock({ id }, LockMode.PESSIMISTIC_PARTIAL_WRITE);
    return session ?? null;
  }

  /** Holds the rows of all work sessions of a task, oldest first. To be called with the task's row held. */
  lockAllOf(taskId: string): Promise<WorkSession[]> {
    return this.#lock({ taskId }, LockMode.PESSIMISTIC_WRITE);
  }

  /** The statuses of all work sessions of a task, as this transaction has made them. */
  async statusesOf(taskId: string): Promise<WorkSessionStatus[]> {
    await this.em.flush();
    const found = await this.em
      .getKysely<Tables>()
      .selectFrom("work_sessions")
      .select("status")
      .where("task_id", "=", taskId)
      .execute();
    return found.map(({ status }) => status);
  }

  /** Adds a new work session and the record of its Helix session. */
  add(facts: Omit<WorkSessionFacts, "version">, origin: SessionRecord["origin"]): WorkSession {
    const { id: workSessionId, helixSessionId, tenant, taskId, agentType, createdAt } = facts;
    const record = { id: helixSessionId, tenant, taskId, workSessionId, agentType, createdAt };
    this.em.create(SessionRecord, { ...record, role: "work_session", origin });
    const session = this.em.create(WorkSession, { ...facts });
    this.#recorder.added(session);
    return session;
  }

  /** Adds the record of the Helix session that coordinates a task. */
  addCoordinator(facts: Pick<SessionRecord, "id" | "tenant" | "taskId" | "createdAt">): void {
    const record = { ...facts, workSessionId: null, agentType: "" };
    this.em.create(SessionRecord, { ...record, role: "task_coordinator", origin: "minted" });
  }

  /** Where the id of a work session's Helix session comes from. */
  async originOf(session: WorkSession): Promise<SessionOrigin> {
    return (await this.em.findOneOrFail(SessionRecord, { id: session.helixSessionId })).origin;
  }

  /** Puts the record of Helix's own session in the place of the one that a locked work session has. */
  async rebind(session: WorkSession, { helixSessionId, now }: { readonly helixSessionId: string; readonly now: Date }) {
    const minted = await this.em.findOneOrFail(SessionRecord, { id: session.helixSessionId });
    const { tenant, taskId, workSessionId, agentType, role } = minted;
    const facts = { tenant, taskId, workSessionId, agentType, role, createdAt: now };
    this.em.create(SessionRecord, { ...facts, id: helixSessionId, origin: "helix" });
    session.bind(helixSessionId, now);
    this.em.remove(minted);
    await this.em.flush();
  }

  /** Says that a locked work session goes with its task. */
  removedWithTask(session: WorkSession): void {
    this.#recorder.removed(session);
  }

  async #lock(
    where: FilterQuery<WorkSession>,
    lockMode: LockMode.PESSIMISTIC_WRITE | LockMode.PESSIMISTIC_PARTIAL_WRITE,
  ): Promise<WorkSession[]> {
    const mine = this.tenant === null ? where : { $and: [where, { tenant: this.tenant }] };
    const sessions = await this.em.find(WorkSession, mine, { lockMode, orderBy: { id: "asc" } });
    for (const session of sessions) this.#recorder.locked(session);
    return sessions;
  }
}
