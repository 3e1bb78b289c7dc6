import { LockMode } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { type OnTurnEnd, ThreadMapping, usualAgentSettings } from "../domain/thread-mapping.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Workspace } from "../domain/workspace.ts";

/** Whose thread: a work session's, as its tenant sees it. */
export interface ThreadKey {
  readonly workSessionId: string;
  /** `null`: of any tenant. */
  readonly tenant: string | null;
}

/** As much of a mapping as what arrives often needs. */
export type LightThread = Pick<ThreadMapping, "id" | "status">;

/** What a new mapping begins with. */
export interface NewThread {
  readonly id: string;
  readonly workSessionId: string;
  readonly tenant: string;
  readonly taskId: string;
  readonly zedSessionId: string;
  readonly projectPath: string;
  readonly workspace: Workspace | null;
  readonly workspaceConfig: JsonObject;
  readonly agentName: string;
  readonly onTurnEnd: OnTurnEnd;
  readonly now: Date;
}

const WITH_WORK = `
select m.id from zed_thread_mappings m
where m.zed_session_id = ? and m.status not in ('completed', 'failed')
  and (
    (m.zed_thread_id is not null and m.opened_epoch <> ?::int and m.open_sent_epoch <> ?::int)
    or exists (
      select 1 from turns t
      where t.mapping_id = m.id
        and (t.status = 'queued' or (t.status in ('sent', 'running', 'waiting')
          and (t.cancel_requested_at is not null or t.probe_epoch <> t.probe_sent_epoch)))
    )
  )
union
select m.id from zed_thread_mappings m
join turns t on t.mapping_id = m.id
where m.zed_session_id = ? and t.status in ('interrupted', 'failed') and t.cancel_requested_at is not null
  and t.cancel_sent_epoch = 0
order by 1`;

const OWING = `
select m.id from zed_thread_mappings m join zed_instances i on i.id = m.zed_session_id
where m.outcome is not null and m.outcome is distinct from m.outcome_reported
  and (i.runner = ? or i.runner = '') and (m.lease_epoch is not null or m.outcome = 'cancelled')
order by m.updated_at limit 100`;

const ENDED_WORKSPACES = `
select m.id as "mappingId", m.workspace from zed_thread_mappings m join zed_instances i on i.id = m.zed_session_id
where m.workspace ->> 'status' = 'ready' and m.ended_at is not null
  and i.runner = ? and i.pid is null and i.desired = 'stopped'
order by m.ended_at limit 100`;

const locked = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

/** The mappings of work sessions to threads. Nothing of a thread changes but under its mapping's lock. */
export class ThreadRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Reads a mapping that callers may see. */
  find(key: ThreadKey): Promise<ThreadMapping | null> {
    return this.#em.findOne(ThreadMapping, visible(key));
  }

  /** The instance of a mapping that callers may see, without a lock. */
  async findInstance(key: ThreadKey): Promise<string | null> {
    const { workSessionId, tenant } = key;
    const rows = await this.#em.execute<{ id: string }[]>(
      `select zed_session_id as id from zed_thread_mappings
       where work_session_id = ? and deleted_at is null and (?::text is null or tenant = ?)`,
      [workSessionId, tenant, tenant],
    );
    return rows[0]?.id ?? null;
  }

  /** Finds a mapping that callers may see, and holds its row until the transaction ends. */
  lockVisible(key: ThreadKey): Promise<ThreadMapping | null> {
    return this.#em.findOne(ThreadMapping, visible(key), locked);
  }

  /** Finds the mapping of a work session, and holds its row. */
  lockOfSession(workSessionId: string): Promise<ThreadMapping | null> {
    return this.#em.findOne(ThreadMapping, { workSessionId }, locked);
  }

  lock(id: string): Promise<ThreadMapping | null> {
    return this.#em.findOne(ThreadMapping, { id }, locked);
  }

  /** Finds the mapping of an editor's thread, and holds its row. */
  lockOfThread(zedSessionId: string, zedThreadId: string): Promise<ThreadMapping | null> {
    return this.#em.findOne(ThreadMapping, { zedSessionId, zedThreadId }, locked);
  }

  /** Locks the mapping of an editor's thread and reads only whether it has ended: for what arrives often. */
  async lockLightly(zedSessionId: string, zedThreadId: string): Promise<LightThread | null> {
    const rows = await this.#em.execute<LightThread[]>(
      "select id, status from zed_thread_mappings where zed_session_id = ? and zed_thread_id = ? for update",
      [zedSessionId, zedThreadId],
    );
    return rows[0] ?? null;
  }

  /** The same by the mapping's id. */
  async lockLightlyById(id: string): Promise<LightThread | null> {
    const rows = await this.#em.execute<LightThread[]>(
      "select id, status from zed_thread_mappings where id = ? for update",
      [id],
    );
    return rows[0] ?? null;
  }

  /** Whether a mapping has this thread of the editor. */
  async isTaken(zedSessionId: string, zedThreadId: string): Promise<boolean> {
    return (await this.#em.count(ThreadMapping, { zedSessionId, zedThreadId })) > 0;
  }

  /** How the agent of the instance's newest thread is named; `null` without a thread. */
  async newestAgentName(zedSessionId: string): Promise<string | null> {
    const rows = await this.#em.execute<{ name: string }[]>(
      "select agent_name as name from zed_thread_mappings where zed_session_id = ? order by id desc limit 1",
      [zedSessionId],
    );
    return rows[0]?.name ?? null;
  }

  /** The instance of a work session's thread, without a lock; an instance never changes. */
  async instanceOf({ workSessionId }: Pick<ThreadKey, "workSessionId">): Promise<string | null> {
    const rows = await this.#em.execute<{ id: string }[]>(
      "select zed_session_id as id from zed_thread_mappings where work_session_id = ?",
      [workSessionId],
    );
    return rows[0]?.id ?? null;
  }

  /** The threads of an instance that have not ended, all locked, always in the same order. */
  lockLiveOf(zedSessionId: string): Promise<ThreadMapping[]> {
    const live = { zedSessionId, status: { $nin: ["completed" as const, "failed" as const] } };
    return this.#em.find(ThreadMapping, live, { ...locked, orderBy: { id: "asc" } });
  }

  /** The threads of an instance that may have a command to give on this link, always in the same order. */
  async idsWithWork({ instanceId, epoch }: { readonly instanceId: string; readonly epoch: number }): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(WITH_WORK, [instanceId, epoch, epoch, instanceId]);
    return rows.map(({ id }) => id);
  }

  /** The sessions of a bridge whose threads have not ended. */
  async liveSessions(runner: string): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(
      `select m.work_session_id as id from zed_thread_mappings m join zed_instances i on i.id = m.zed_session_id
       where i.runner = ? and m.status not in ('completed', 'failed') order by m.id`,
      [runner],
    );
    return rows.map(({ id }) => id);
  }

  /** Copies in which nobody works any more: the thread has ended, and so has its process. */
  endedWorkspaces(runner: string): Promise<{ readonly mappingId: string; readonly workspace: Workspace }[]> {
    return this.#em.execute(ENDED_WORKSPACES, [runner]);
  }

  /** The threads whose outcome task-service does not know yet: those under a lease, and those that a caller ended. */
  async owingReports(runner: string): Promise<ThreadMapping[]> {
    const rows = await this.#em.execute<{ id: string }[]>(OWING, [runner]);
    return this.#em.find(ThreadMapping, { id: { $in: rows.map(({ id }) => id) } }, { orderBy: { updatedAt: "asc" } });
  }

  /** A new mapping. Its first turn's number is kept for the session's own prompt. */
  add({ now, ...given }: NewThread): ThreadMapping {
    return this.#em.create(ThreadMapping, {
      ...given,
      zedThreadId: null,
      ...usualAgentSettings,
      status: "pending",
      statusReason: "",
      statusChangedAt: now,
      leaseEpoch: null,
      firstPromptQueued: false,
      turnCount: 1,
      openedEpoch: 0,
      openSentEpoch: 0,
      openSentAt: null,
      openFailures: 0,
      openNotBefore: null,
      replacedForTurnId: null,
      outcome: null,
      outcomeReason: "",
      outcomeSummary: "",
      outcomeError: "",
      outcomeReported: null,
      outcomeReportedAt: null,
      logSeq: 0,
      version: 0,
      title: "",
      usage: null,
      lastActivityAt: null,
      endedAt: null,
      deletedAt: null,
      createdAt: now,
      updatedAt: now,
    });
  }
}

function visible({ workSessionId, tenant }: ThreadKey) {
  return { workSessionId, deletedAt: null, ...(tenant === null ? {} : { tenant }) };
}
