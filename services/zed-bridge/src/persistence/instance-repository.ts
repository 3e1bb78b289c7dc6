import type { EntityManager } from "@mikro-orm/postgresql";
import { type LaunchTarget, ZedInstance } from "../domain/zed-instance.ts";

/** A new instance, not wanted yet. */
export interface NewInstance {
  readonly id: string;
  readonly tenant: string;
  readonly userId: string;
  readonly organizationId: string;
  readonly taskId: string;
  readonly workingDirectory: string;
  readonly launchTarget: LaunchTarget;
  readonly now: Date;
}

/** Which page of instances. */
export interface InstancePageQuery {
  /** `null`: of any tenant. */
  readonly tenant: string | null;
  /** Empty: of any task. */
  readonly taskId: string;
  /** Only older ones than this; `null`: from the newest. */
  readonly before: string | null;
  readonly limit: number;
}

const INSERT = `
insert into zed_instances (id, tenant, user_id, organization_id, task_id, working_directory, launch_target, runner,
  desired, status, status_reason, launch_count, restart_count, recent_exits, last_log_lines, link_epoch, connected,
  ready_epoch, created_at, updated_at)
values (?, ?, ?, ?, ?, ?, ?, '', 'stopped', 'stopped', 'NOT_STARTED', 0, 0, '[]', '[]', 0, false, 0, ?, ?)
on conflict (task_id, working_directory) do nothing`;

const OF_DELETED_TASKS = `
select i.id from zed_instances i
where i.runner = ? and i.deleted_at is null and i.pid is null and (i.desired = 'stopped' or i.launch_target = 'external')
  and exists (select 1 from zed_thread_mappings m where m.zed_session_id = i.id)
  and not exists (select 1 from zed_thread_mappings m where m.zed_session_id = i.id and m.deleted_at is null)`;

const DISPOSABLE = `
select i.id from zed_instances i
where i.id in (select jsonb_array_elements_text(?::jsonb)) and i.pid is null and i.desired = 'stopped'
  and not exists (
    select 1 from zed_thread_mappings m
    where m.zed_session_id = i.id and m.deleted_at is null and (m.ended_at is null or m.ended_at >= ?::timestamptz)
  )`;

// Nobody changes an instance's id, so the lock lets those pass who only refer to it. A thread that is written twice in one
// transaction has its reference checked, which asks for that: under a stronger lock whoever holds a thread would wait for
// who holds its instance and waits for the thread.
const HOLD = "select 1 from zed_instances where id = ? for no key update";

/** The processes that hold threads. Lock an instance before its threads, never after. */
export class InstanceRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Finds an instance and holds its row until the transaction ends. */
  async lock(id: string): Promise<ZedInstance | null> {
    await this.#em.execute(HOLD, [id]);
    return this.#em.findOne(ZedInstance, { id }, { refresh: true });
  }

  /** Finds an instance that must exist, and holds its row. */
  async lockExisting(id: string): Promise<ZedInstance> {
    const instance = await this.lock(id);
    if (instance === null) throw new Error(`The instance ${id} has gone although threads refer to it.`);
    return instance;
  }

  /** Reads an instance as it was committed last. */
  find(id: string): Promise<ZedInstance | null> {
    return this.#em.findOne(ZedInstance, { id });
  }

  /** Finds an instance of the tenant (`null`: of any), and holds its row if asked to. */
  async findVisible(
    id: string,
    tenant: string | null,
    { lock = false }: { readonly lock?: boolean } = {},
  ): Promise<ZedInstance | null> {
    const visible = { id, deletedAt: null, ...(tenant === null ? {} : { tenant }) };
    const found = await this.#em.findOne(ZedInstance, visible);
    return lock && found !== null ? this.lock(id) : found;
  }

  /** A page of the tenant's instances, newest first: ids rise with time. */
  page({ tenant, taskId, before, limit }: InstancePageQuery): Promise<ZedInstance[]> {
    const where = {
      deletedAt: null,
      ...(tenant === null ? {} : { tenant }),
      ...(taskId === "" ? {} : { taskId }),
      ...(before === null ? {} : { id: { $lt: before } }),
    };
    return this.#em.find(ZedInstance, where, { orderBy: { id: "desc" }, limit });
  }

  /** The instances of a bridge that should have a process, or still have one. */
  supervised(runner: string): Promise<ZedInstance[]> {
    const wanted = { desired: "running" as const, status: { $nin: ["failed" as const, "stopped" as const] } };
    return this.#em.find(ZedInstance, { runner, $or: [wanted, { pid: { $ne: null } }] }, { orderBy: { id: "asc" } });
  }

  /** The instances of a bridge that count as connected. */
  async idsConnected(runner: string): Promise<string[]> {
    const rows = await this.#em.find(ZedInstance, { runner, connected: true }, { orderBy: { id: "asc" } });
    return rows.map(({ id }) => id);
  }

  /** The instance that presents this session id when it connects. */
  async presenting(presentedId: string): Promise<string | null> {
    const rows = await this.#em.execute<{ id: string }[]>(
      "select id from zed_instances where presented_id = ? or (id = ? and presented_id is null)",
      [presentedId, presentedId],
    );
    return rows[0]?.id ?? null;
  }

  /** The folders of a task in which somebody else has started an editor, or is to start one. */
  async externalFolders(taskId: string): Promise<string[]> {
    const external = { taskId, launchTarget: "external" as const };
    const found = await this.#em.find(ZedInstance, external, { orderBy: { id: "asc" } });
    return found.map(({ workingDirectory }) => workingDirectory);
  }

  /** The instances of a bridge without a process, all of whose work sessions do not exist any more. */
  async idsOfDeletedTasks(runner: string): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(OF_DELETED_TASKS, [runner]);
    return rows.map(({ id }) => id);
  }

  /** Those among these that have no process, and no thread that lives or has ended after `endedBefore`. */
  async disposable(ids: readonly string[], endedBefore: Date): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(DISPOSABLE, [JSON.stringify(ids), endedBefore.toISOString()]);
    return rows.map(({ id }) => id);
  }

  /** The editor is ready on this link. Returns whether the link is the current one. */
  async setReady(id: string, epoch: number): Promise<boolean> {
    const rows = await this.#em.execute<unknown[]>(
      "update zed_instances set ready_epoch = ? where id = ? and link_epoch = ? returning id",
      [epoch, id, epoch],
    );
    return rows.length > 0;
  }

  /** The one instance of a task in a folder, locked; made if there is none. */
  async lockOrCreate(wanted: NewInstance): Promise<ZedInstance> {
    const { id, tenant, userId, organizationId, taskId, workingDirectory, launchTarget, now } = wanted;
    const at = now.toISOString();
    const values = [id, tenant, userId, organizationId, taskId, workingDirectory, launchTarget, at, at];
    await this.#em.execute(INSERT, values);
    const { id: made } = await this.#em.findOneOrFail(ZedInstance, { taskId, workingDirectory });
    return this.lockExisting(made);
  }
}
