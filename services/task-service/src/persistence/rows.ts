// Rows as PostgreSQL writes them in JSON, and the facts they hold. Reads, the change log and stored answers all come
// through here, so a resource looks the same wherever it was read.

import type { SessionRecord } from "../domain/session-record.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";

type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : "";

type Stored<Value> = Value extends Date ? string : Value;

/** A row of a table that holds such facts: columns in snake case, times as text. */
export type RowOf<Facts> = { readonly [Name in keyof Facts & string as SnakeCase<Name>]: Stored<Facts[Name]> };

/** A row of `tasks`. */
export type TaskRow = RowOf<TaskFacts>;

/** A row of `work_sessions`. */
export type WorkSessionRow = RowOf<WorkSessionFacts>;

/** A row of `sessions`. */
export type SessionRow = RowOf<SessionFacts>;

type SessionFacts = Pick<
  SessionRecord,
  "id" | "tenant" | "role" | "origin" | "taskId" | "workSessionId" | "agentType" | "createdAt"
>;

/** What Kysely needs to know of the tables that are read through it. */
export interface Tables {
  readonly tasks: TaskRow;
  readonly work_sessions: WorkSessionRow;
}

/** The facts in a row of `tasks`. */
export function taskFromRow(row: TaskRow): TaskFacts {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    description: row.description,
    taskType: row.task_type,
    status: row.status,
    statusReason: row.status_reason,
    statusChangedAt: new Date(row.status_changed_at),
    priority: row.priority,
    userId: row.user_id,
    organizationId: row.organization_id,
    appId: row.app_id,
    projectPath: row.project_path,
    config: row.config,
    coordinatorSessionId: row.coordinator_session_id,
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    startedAt: dateOrNull(row.started_at),
    completedAt: dateOrNull(row.completed_at),
  };
}

/** The facts in a row of `work_sessions`. */
export function workSessionFromRow(row: WorkSessionRow): WorkSessionFacts {
  return {
    id: row.id,
    tenant: row.tenant,
    taskId: row.task_id,
    helixSessionId: row.helix_session_id,
    name: row.name,
    description: row.description,
    agentType: row.agent_type,
    status: row.status,
    statusReason: row.status_reason,
    statusChangedAt: new Date(row.status_changed_at),
    parentWorkSessionId: row.parent_work_session_id,
    spawnedBySessionId: row.spawned_by_session_id,
    agentConfig: row.agent_config,
    environmentConfig: row.environment_config,
    runner: row.runner,
    leaseEpoch: row.lease_epoch,
    leaseExpiresAt: dateOrNull(row.lease_expires_at),
    attempt: row.attempt,
    result: row.result,
    userId: row.user_id,
    organizationId: row.organization_id,
    taskType: row.task_type,
    // The log and the request ledger hold rows from before there were these columns.
    priority: row.priority ?? 0,
    appId: row.app_id ?? "",
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    startedAt: dateOrNull(row.started_at),
    completedAt: dateOrNull(row.completed_at),
  };
}

/** The facts in a row of `sessions`. */
export function sessionRecordFromRow(row: SessionRow): SessionFacts {
  return {
    id: row.id,
    tenant: row.tenant,
    role: row.role,
    origin: row.origin,
    taskId: row.task_id,
    workSessionId: row.work_session_id,
    agentType: row.agent_type,
    createdAt: new Date(row.created_at),
  };
}

function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
