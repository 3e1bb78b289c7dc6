import { taskFields, workSessionFields } from "../domain/filter/filter-fields.ts";
import { awkwardTexts, times } from "./any-filter.ts";
import type { TestApp } from "./test-app.ts";

/** Makes tasks of a tenant with random values in all fields that can be asked for, behind the service's back. */
export async function makeRandomTasks(app: TestApp, tenant: string, count: number): Promise<void> {
  const rows = Array.from({ length: count }, () => ({ ...anyShared(tenant, taskFields.status.words) }));
  await app.sql(
    `insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority,
       user_id, organization_id, app_id, project_path, coordinator_session_id, created_at, updated_at, completed_at)
     select id, tenant, name, '', task_type, status, '', created_at, priority, user_id, '', app_id, '', id, created_at,
       updated_at, completed_at
     from jsonb_to_recordset($1::jsonb) as r (id text, tenant text, name text, task_type text, status text,
       priority integer, user_id text, app_id text, created_at timestamptz, updated_at timestamptz,
       completed_at timestamptz)`,
    [JSON.stringify(rows)],
  );
}

/** The same for work sessions of one task. */
export async function makeRandomSessions(app: TestApp, { id, tenant }: { id: string; tenant: string }, count: number) {
  const rows = Array.from({ length: count }, () => {
    const shared = anyShared(tenant, workSessionFields.status.words);
    const runner = shared.status === "active" ? pick(["a", "A", "ab", null]) : null;
    return {
      ...shared,
      task_id: id,
      agent_type: pick(awkwardTexts),
      runner,
      expires: runner === null ? null : shared.created_at,
    };
  });
  await app.sql(
    `with r as (
       select * from jsonb_to_recordset($1::jsonb) as r (id text, tenant text, task_id text, name text, task_type text,
         status text, priority integer, user_id text, app_id text, created_at timestamptz, updated_at timestamptz,
         completed_at timestamptz, agent_type text, runner text, expires timestamptz)
     ), made as (
       insert into work_sessions (id, tenant, task_id, helix_session_id, name, description, agent_type, status,
         status_reason, status_changed_at, runner, lease_expires_at, user_id, organization_id, task_type, priority,
         app_id, created_at, updated_at, completed_at)
       select id, tenant, task_id, id, name, '', agent_type, status, '', created_at, runner, expires, user_id, '',
         task_type, priority, app_id, created_at, updated_at, completed_at from r
     )
     insert into sessions (id, tenant, role, origin, task_id, work_session_id, agent_type, created_at)
     select id, tenant, 'work_session', 'minted', task_id, id, agent_type, created_at from r`,
    [JSON.stringify(rows)],
  );
}

let made = 0;

function anyShared(tenant: string, statuses: readonly string[]) {
  const status = pick(statuses);
  const created = new Date(pick(times)).toISOString();
  return {
    id: `row_${String(made++).padStart(6, "0")}_${Math.random().toString(36).slice(2)}`,
    tenant,
    name: `${pick(awkwardTexts)}${pick(awkwardTexts)}`,
    task_type: pick(taskFields.task_type.words),
    status,
    priority: pick([-2, -1, 0, 0, 0, 1, 2]),
    user_id: pick(awkwardTexts),
    app_id: pick(awkwardTexts),
    created_at: created,
    updated_at: new Date(pick(times)).toISOString(),
    completed_at: ["completed", "failed", "cancelled"].includes(status) ? created : null,
  };
}

function pick<T>(from: readonly T[]): T {
  const item = from[Math.floor(Math.random() * from.length)];
  if (item === undefined) throw new Error("There is nothing to choose from.");
  return item;
}
