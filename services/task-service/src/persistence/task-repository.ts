import type { Actor } from "@helix-zed/domain";
import { tenantOf } from "@helix-zed/domain";
import type { Statements } from "@helix-zed/persistence";
import type { EntityManager } from "@mikro-orm/postgresql";
import { taskNotFound, workSessionNotFound } from "../domain/reason.ts";
import { Task, type TaskFacts } from "../domain/task.ts";
import type { ChangeRecorder } from "./change-log.ts";
import { conditionSql } from "./condition-sql.ts";
import { afterKey, orderSql } from "./keyset.ts";
import type { PageQuery } from "./page-query.ts";
import { queries, runPage } from "./queries.ts";
import { taskFromRow, type TaskRow } from "./rows.ts";
import type { WriteSide } from "./write-side.ts";

const mine = "($2::text is null or tenant = $2)";
const selectTask = `select to_json(tasks) as row from tasks where id = $1 and ${mine}`;
const lockTask = `${selectTask} for update`;
const lockFreeTask = `${lockTask} skip locked`;
const lockTaskOf = `
  select to_json(tasks) as row from tasks
  where id = (select task_id from work_sessions where id = $1 and ${mine}) for update`;

/** The tasks that one actor may see. There is no way to ask it for anyone else's. */
export class TaskReader {
  protected readonly statements: Statements;
  protected readonly tenant: string | null;

  constructor(statements: Statements, actor: Actor) {
    this.statements = statements;
    this.tenant = tenantOf(actor);
  }

  /** Reads a task. */
  async get(id: string): Promise<TaskFacts> {
    const task = await this.read(selectTask, id);
    if (task === null) throw taskNotFound(id);
    return task;
  }

  /** Up to `limit` tasks that match, in their order. */
  async page(asked: PageQuery): Promise<TaskFacts[]> {
    const { where, order, after, limit } = asked;
    let tasks = queries.selectFrom("tasks").selectAll().limit(limit);
    if (this.tenant !== null) tasks = tasks.where("tenant", "=", this.tenant);
    if (where !== null) tasks = tasks.where(conditionSql(where));
    if (after !== null) tasks = tasks.where(afterKey(order, after));
    for (const term of orderSql(order)) tasks = tasks.orderBy(term);
    // Around it, so that only what is on the page is written as JSON, not all that is sorted.
    let page = queries.selectFrom(tasks.as("tasks")).select((eb) => eb.fn.toJson("tasks").as("row"));
    for (const term of orderSql(order)) page = page.orderBy(term);
    return (await runPage(this.statements, page, asked)).map(({ row }) => taskFromRow(row));
  }

  protected async read(text: string, id: string): Promise<TaskFacts | null> {
    const [found] = await this.statements.run<{ row: TaskRow }>(text, [id, this.tenant]);
    return found === undefined ? null : taskFromRow(found.row);
  }
}

/** The tasks that one actor may change, in one transaction. */
export class TaskRepository extends TaskReader {
  readonly #em: EntityManager;
  readonly #recorder: ChangeRecorder;

  constructor({ transaction, em, recorder }: WriteSide, actor: Actor) {
    super(transaction, actor);
    this.#em = em;
    this.#recorder = recorder;
  }

  /** Finds a task and holds its row until the transaction ends. */
  async lock(id: string): Promise<Task> {
    const task = await this.#lock(lockTask, id);
    if (task === null) throw taskNotFound(id);
    return task;
  }

  /** Holds the row of a work session's task. When the task has gone, so has the session. */
  async lockOf(workSessionId: string): Promise<Task> {
    const task = await this.#lock(lockTaskOf, workSessionId);
    if (task === null) throw workSessionNotFound(workSessionId);
    return task;
  }

  /** Finds a task and holds its row, or gives nothing if the task is gone or somebody else holds it. */
  lockIfFree(id: string): Promise<Task | null> {
    return this.#lock(lockFreeTask, id);
  }

  /** Adds a new task. */
  add(facts: Omit<TaskFacts, "version">): Task {
    const task = this.#em.create(Task, { ...facts });
    this.#recorder.added(task);
    return task;
  }

  /** Deletes a locked task; its sessions go with it. */
  remove(task: Task): void {
    this.#em.remove(task);
    this.#recorder.removed(task);
  }

  async #lock(text: string, id: string): Promise<Task | null> {
    const facts = await this.read(text, id);
    if (facts === null) return null;
    // One that is held already is as this transaction has made it.
    const task = this.#em.getUnitOfWork().getById(Task, facts.id) ?? this.#em.merge(Task, { ...facts });
    this.#recorder.locked(task);
    return task;
  }
}
