import type { Pool } from "pg";

/** How many tasks there are to be. */
export interface ManyTasks {
  /** Tasks 0 to this one, exclusive; those that are there already stay. */
  readonly upTo: number;
}

const CHUNK = 50_000;

/** The id of a task, by its number; the later tasks have the greater ids. */
export function taskId(number: number): string {
  return `tsk_${number.toString(16).padStart(32, "0")}`;
}

/**
 * Adds tasks without their sessions, all at once. Of a thousand, 999 are of ada and one is of bob; of ada's, one in a
 * thousand is active, one in ten pending, and the others have been completed.
 */
export async function addTasks(pool: Pool, { upTo }: ManyTasks): Promise<void> {
  const { rows } = await pool.query<{ count: string }>("select count(*) from tasks");
  for (let from = Number(rows[0]?.count); from < upTo; from += CHUNK) {
    await pool.query(insert, [from, Math.min(from + CHUNK, upTo)]);
  }
  await pool.query("vacuum analyze tasks");
}

const insert = `
  insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority, user_id,
    organization_id, app_id, project_path, config, coordinator_session_id, version, created_at, updated_at, completed_at)
  select 'tsk_' || lpad(to_hex(n), 32, '0'), 'user:' || owner, 'Task ' || md5(n::text), repeat('What is to be done. ', 10), type, status,
    '', at, n / 10 % 5, owner, '', app, '/work/project', '{"labels": ["security"]}', 'ses_' || lpad(to_hex(n), 32, '0'), 1, at,
    at + make_interval(secs => n % 977), case status when 'completed' then at end
  from generate_series($1::bigint, $2::bigint - 1) n,
    lateral (select timestamptz '2026-01-01 00:00:00Z' + make_interval(secs => n) as at,
      case n % 1000 when 7 then 'bob' else 'ada' end as owner,
      'app-' || n % 20 as app, (array['batch', 'interactive', 'coding_session'])[1 + n % 3] as type,
      case when n % 1000 = 11 then 'active' when n % 10 = 3 then 'pending' else 'completed' end as status) as facts`;
