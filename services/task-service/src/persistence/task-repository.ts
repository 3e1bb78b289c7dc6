import type { Actor } from "@helix-zed/domain";
import { tenantOf } from "@helix-zed/domain";
import { runStatement } from "@helix-zed/persistence";
import { LockMode } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { taskNotFound, workSessionNotFound } from "../domain/reason.ts";
import { Task, type TaskFacts } from "../domain/task.ts";
import type { ChangeRecorder } from "./change-log.ts";
import { conditionSql } from "./condition-sql.ts";
import { afterKey, orderSql } from "./keyset.ts";
import type { PageQuery } from "./page-query.ts";
import { type Tables, taskFromRow, type TaskRow } from "./rows.ts";

const selectTask = `
  select to_json(tasks) as row from tasks where id = $1 and ($2::text is null or tenant = $2)`;

/** The tasks that one actor may see. There is no way to ask it for anyone else's. */
export class TaskReader {
  protected readonly em: EntityManager;
  protected readonly tenant: string | null;

  constructor(em: EntityManager, actor: Actor) {
    this.em = em;
    this.tenant = tenantOf(actor);
  }

  /** Reads a task. */
  async get(id: string): Promise<TaskFacts> {
    const [found] = await runStatement<{ row: TaskRow }>(this.em, selectTask, [id, this.tenant]);
    if (found === undefined) throw taskNotFound(id);
    return taskFromRow(found.row);
  }

  /** Up to `limit` tasks that match, in their order. */
  async page({ where, order, after, limit }: PageQuery): Promise<TaskFacts[]> {
    const kysely = this.em.getKysely<Tables>();
    let tasks = kysely.selectFrom("tasks").selectAll().limit(limit);
    if (this.tenant !== null) tasks = tasks.where("tenant", "=", this.tenant);
    if (where !== null) tasks = tasks.where(conditionSql(where));
    if (after !== null) tasks = tasks.where(afterKey(order, after));
    for (const term of orderSql(order)) tasks = tasks.orderBy(term);
    // Around it, so that only what is on the page is written as JSON, not all that is sorted.
    let page = kysely.selectFrom(tasks.as("tasks")).select((eb) => eb.fn.toJson("tasks").as("row"));
    for (const term of orderSql(order)) page = page.orderBy(term);
    return (await page.execute()).map(({ row }) => taskFromRow(row));
  }
}

/** The tasks that one actor may change, in one transaction. */
export class TaskRepository extends TaskReader {
  readonly #recorder: ChangeRecorder;

  constructor(em: EntityManager, actor: Actor, recorder: ChangeRecorder) {
    super(em, actor);
    this.#recorder = recorder;
  }

  /** Finds a task and holds its row until the transaction ends. */
  async lock(id: string): Promise<Task> {
    const task = await this.#lock(id, LockMode.PESSIMISTIC_WRITE);
    if (task === null) throw taskNotFound(id);
    return task;
  }

  /** Holds the row of a work session's task. When the task has gone meanwhile, so has the session. */
  async lockOf({ id, taskId }: { readonly id: string; readonly taskId: string }): Promise<Task> {
    const task = await this.#lock(taskId, LockMode.PESSIMISTIC_WRITE);
    if (task === null) throw workSessionNotFound(id);
    return task;
  }

  /** Finds a task and holds its row, or gives nothing if the task is gone or somebody else holds it. */
  lockIfFree(id: string): Promise<Task | null> {
    return this.#lock(id, LockMode.PESSIMISTIC_PARTIAL_WRITE);
  }

  /** Adds a new task. */
  add(facts: Omit<TaskFacts, "version">): Task {
    const task = this.em.create(Task, { ...facts });
    this.#recorder.added(task);
    return task;
  }

  /** Deletes a locked task; its sessions go with it. */
  remove(task: Task): void {
    this.em.remove(task);
    this.#recorder.removed(task);
  }

  async #lock(id: string, lockMode: LockMode.PESSIMISTIC_WRITE | LockMode.PESSIMISTIC_PARTIAL_WRITE) {
    const mine = this.tenant === null ? { id } : { id, tenant: this.tenant };
    const task = await this.em.findOne(Task, mine, { lockMode });
    if (task !== null) this.#recorder.locked(task);
    return task;
  }
}
