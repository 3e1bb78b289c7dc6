import { systemWorld } from "@helix-zed/domain";
import type { Pool } from "pg";
import { aTask } from "./a-task.ts";

const world = systemWorld();

const insertTask = `
  insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority, user_id,
    organization_id, app_id, project_path, config, coordinator_session_id, version, created_at, updated_at)
  values ($1, 'user:ada', $2, $3, 'batch', 'pending', '', $4, 0, 'ada', '', '', $5, $6, $7, 1, $4, $4)`;
const insertSessions = `
  insert into sessions (id, tenant, role, origin, task_id, work_session_id, agent_type, created_at)
  values ($1, 'user:ada', 'task_coordinator', 'minted', $2, null, '', $5),
    ($3, 'user:ada', 'work_session', 'minted', $2, $4, 'zed_agent', $5)`;
const insertWorkSession = `
  insert into work_sessions (id, tenant, task_id, helix_session_id, name, description, agent_type, status, status_reason,
    status_changed_at, user_id, organization_id, task_type, version, created_at, updated_at)
  values ($1, 'user:ada', $2, $3, $4, $5, 'zed_agent', 'pending', '', $6, 'ada', '', 'batch', 1, $6, $6)`;
const insertChanges = `
  insert into change_log (tenant, kind, ref_id, task_id, after)
  select tenant, 'task', id, id, to_jsonb(tasks) from tasks where id = $1
  union all select tenant, 'work_session', id, task_id, to_jsonb(work_sessions) from work_sessions where id = $2`;

/** The inserts that CreateTask consists of, as the driver sends them. */
export async function createRaw(pool: Pool): Promise<void> {
  const { name, description, projectPath, config } = aTask;
  const [task, session, coordinator, helixSession] = [
    world.newId("tsk"),
    world.newId("ws"),
    world.newId("ses"),
    world.newId("ses"),
  ];
  const now = new Date();
  const client = await pool.connect();
  await client.query("begin");
  await client.query(insertTask, [task, name, description, now, projectPath, config, coordinator]);
  await client.query(insertSessions, [coordinator, task, helixSession, session, now]);
  await client.query(insertWorkSession, [session, task, helixSession, name, description, now]);
  await client.query(insertChanges, [task, session]);
  await client.query("commit");
  client.release();
}
