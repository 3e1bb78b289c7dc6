import type { Pool } from "pg";
import { addTasks } from "./many-tasks.ts";

/** The id of a work session, by its number. */
export function workSessionId(number: number): string {
  return `ws_${number.toString(16).padStart(32, "0")}`;
}

/** Adds so many tasks of ada with one active work session each, all held by one runner in epoch 1. */
export async function addHeldSessions(pool: Pool, count: number, runner: string): Promise<void> {
  await addTasks(pool, { upTo: count });
  await pool.query(
    `with numbers as (
       select n, lpad(to_hex(n), 32, '0') as hex from generate_series(0, $1::int - 1) n
     ), helix_sessions as (
       insert into sessions (id, tenant, role, origin, task_id, work_session_id, agent_type, created_at)
       select 'ses_w' || hex, 'user:ada', 'work_session', 'minted', 'tsk_' || hex, 'ws_' || hex, 'zed_agent', now() from numbers
     )
     insert into work_sessions (id, tenant, task_id, helix_session_id, name, description, agent_type, status, status_reason,
       status_changed_at, runner, lease_epoch, lease_expires_at, attempt, user_id, organization_id, task_type, created_at,
       updated_at, started_at)
     select 'ws_' || hex, 'user:ada', 'tsk_' || hex, 'ses_w' || hex, 'Session ' || n, repeat('What is to be done. ', 10),
       'zed_agent', 'active', '', now(), $2, 1, now() + interval '1 hour', 1, 'ada', '', 'batch', now(), now(), now()
     from numbers`,
    [count, runner],
  );
  await pool.query("vacuum analyze work_sessions");
}
