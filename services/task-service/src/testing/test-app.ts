import { type Actor, Refusal, systemWorld } from "@helix-zed/domain";
import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import { Client } from "pg";
import type { App } from "../application/app.ts";
import { type CreateTask, createTask } from "../application/create-task.ts";
import { defaultLimits, type Limits } from "../domain/limits.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import { Database } from "../persistence/database.ts";
import { migrateTaskService } from "../persistence/migrate.ts";

/** A person of a tenant of their own. */
export function person(userId = "ada"): Actor {
  return { kind: "user", userId };
}

/** A runner, which sees the work sessions of all tenants. */
export const runner: Actor = { kind: "service", name: "bridge", roles: ["runner"] };

/** A service without its sockets, on a database. To be closed. */
export class TestApp implements App {
  readonly url: string;
  readonly database: Database;
  readonly world = systemWorld();
  readonly limits: Limits;
  readonly agentTypes = ["zed_agent", "simple"];
  readonly warnings: string[];

  private constructor(url: string, database: Database, { limits, warnings }: { limits: Limits; warnings: string[] }) {
    this.url = url;
    this.database = database;
    this.limits = limits;
    this.warnings = warnings;
  }

  /** On a database of its own, or as one more replica on the database of another. */
  static async open(limits: Partial<Limits> = {}, url?: string): Promise<TestApp> {
    const at = url ?? (await freshDatabase("task-service", migrateTaskService));
    const all = { ...defaultLimits, ...limits };
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const database = await Database.open({ ...all, url: at, world: systemWorld(), warn });
    return new TestApp(at, database, { limits: all, warnings });
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Creates a task with one session of each name, or of what is given. */
  createTask(asked: Partial<CreateTask> = {}, actor: Actor = person()): Promise<TaskFacts> {
    return createTask(this, actor, { ...aTask, ...asked });
  }

  /** The work sessions of a task, oldest first. */
  sessionsOf(task: TaskFacts): Promise<WorkSessionFacts[]> {
    return this.database.view(runner, ({ workSessions }) => workSessions.allOf(task.id, 1_000));
  }

  /** A task, if it is there. */
  taskOf(taskId: string): Promise<TaskFacts | undefined> {
    return this.database
      .view(person(), ({ tasks }) => tasks.get(taskId))
      .catch((error: unknown) => {
        if (error instanceof Refusal && error.reason === "TASK_NOT_FOUND") return undefined;
        throw error;
      });
  }

  /** Creates a task with one session, and gives both. */
  async createTaskWithSession(asked: Partial<CreateTask> = {}) {
    const task = await this.createTask(asked);
    const [session] = await this.sessionsOf(task);
    if (session === undefined) throw new Error("The task has no session.");
    return { task, session };
  }

  /** Runs a statement behind the service's back. */
  async sql<Row extends object>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query<Row>(statement, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Lets the lease on a session have run out. */
  async letLeaseRunOut(sessionId: string): Promise<void> {
    await this.sql("update work_sessions set lease_expires_at = now() - interval '1 second' where id = $1", [
      sessionId,
    ]);
  }
}

/** A work session as it is asked for. */
export function aSession(name: string) {
  return { name, description: "", agentType: "zed_agent", agentConfig: null, environmentConfig: null };
}

const aTask: CreateTask = {
  name: "Implement authentication",
  description: "Users can log in.",
  taskType: "batch",
  priority: 0,
  appId: "",
  projectPath: "",
  config: null,
  workSessions: [],
  requestId: null,
};
