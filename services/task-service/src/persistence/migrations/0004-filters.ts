import { sqlMigration } from "@helix-zed/persistence";

/**
 * What filters and orders need. Text sorts by its bytes, as the service compares it: pages stay in one order wherever
 * the database runs. Work sessions know the urgency and the app of their task, so that runners can choose by them.
 * One index for each order that a large list is likely to be asked for in.
 */
export const filters = sqlMigration(
  "0004-filters",
  `
alter table tasks
  alter column name type text collate "C",
  alter column status type text collate "C",
  alter column task_type type text collate "C",
  alter column user_id type text collate "C",
  alter column app_id type text collate "C";
alter table work_sessions
  add column priority integer not null default 0,
  add column app_id text collate "C" not null default '',
  alter column name type text collate "C",
  alter column status type text collate "C",
  alter column task_type type text collate "C",
  alter column user_id type text collate "C",
  alter column agent_type type text collate "C",
  alter column runner type text collate "C";
update work_sessions w set priority = t.priority, app_id = t.app_id from tasks t where t.id = w.task_id;

create index tasks_tenant_status on tasks (tenant, status, id);
create index tasks_tenant_priority on tasks (tenant, priority, id);
create index tasks_tenant_created on tasks (tenant, created_at, id);
create index tasks_tenant_updated on tasks (tenant, updated_at, id);
create index request_ledger_age on request_ledger (created_at);
`,
);
