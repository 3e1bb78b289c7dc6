import { Client } from "pg";
import type { TaskStatus, TaskType } from "../domain/task-lifecycle.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import { TestApp } from "./test-app.ts";

/** How a task stands, as its rows say. */
export interface Standing {
  /** `null` where it has gone. */
  readonly task: TaskRow | null;
  /** Oldest first. */
  readonly sessions: readonly SessionRow[];
  /** The changes of all of them, in their order. */
  readonly log: readonly Logged[];
}

interface TaskRow {
  readonly id: string;
  readonly task_type: TaskType;
  readonly status: TaskStatus;
  readonly status_reason: string;
  readonly version: number;
}

interface SessionRow {
  readonly id: string;
  readonly name: string;
  readonly helix_session_id: string;
  readonly status: WorkSessionStatus;
  readonly status_reason: string;
  readonly attempt: number;
  readonly lease_epoch: number;
  readonly runner: string | null;
  readonly version: number;
}

/** One change as it was logged. */
export interface Logged {
  readonly id: string;
  /** `null` where the resource has gone. */
  readonly version: number | null;
}

const LOOK = `select
  (select to_jsonb(tasks) from tasks where id = $1) as task,
  (select coalesce(jsonb_agg(to_jsonb(work_sessions) order by id), '[]') from work_sessions where task_id = $1) as sessions,
  (select coalesce(jsonb_agg(jsonb_build_object('id', ref_id, 'version', after->'version') order by id), '[]')
   from change_log where task_id = $1) as log`;

/** A course for races: two replicas on a database of its own, and somebody who looks behind them. To be closed. */
export class Course {
  readonly replicas: readonly [TestApp, TestApp];
  readonly #client: Client;

  private constructor(replicas: readonly [TestApp, TestApp], client: Client) {
    this.replicas = replicas;
    this.#client = client;
  }

  static async open(): Promise<Course> {
    const first = await TestApp.open();
    const client = new Client({ connectionString: first.url });
    await client.connect();
    return new Course([first, await TestApp.open({}, first.url)], client);
  }

  async close(): Promise<void> {
    await this.#client.end();
    await Promise.all(this.replicas.map((app) => app.close()));
  }

  /** Lets the lease on a session have run out. */
  async letLeaseRunOut(sessionId: string): Promise<void> {
    await this.#client.query("update work_sessions set lease_expires_at = now() - interval '1 second' where id = $1", [
      sessionId,
    ]);
  }

  /** How a task stands. */
  async look(taskId: string): Promise<Standing> {
    const { rows } = await this.#client.query<Standing>({ name: "look", text: LOOK, values: [taskId] });
    return rows[0] ?? { task: null, sessions: [], log: [] };
  }
}
