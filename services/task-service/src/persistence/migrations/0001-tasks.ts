import { sqlMigration } from "@helix-zed/persistence";

/**
 * Tasks, the Helix sessions known here, work sessions, and the answers to calls that may be repeated.
 * Ids sort bytewise (`collate "C"`): they begin with their time of creation, so their order is the order of pages.
 */
export const tasks = sqlMigration(
  "0001-tasks",
  `
create table tasks (
  id text collate "C" primary key,
  tenant text not null,
  name text not null,
  description text not null,
  task_type text not null check (task_type in ('interactive', 'batch', 'coding_session')),
  status text not null check (status in ('pending', 'active', 'completed', 'failed', 'cancelled')),
  status_reason text not null,
  status_changed_at timestamptz not null,
  priority integer not null,
  user_id text not null,
  organization_id text not null,
  app_id text not null,
  project_path text not null,
  config jsonb,
  coordinator_session_id text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  completed_at timestamptz,
  check ((completed_at is not null) = (status in ('completed', 'failed', 'cancelled')))
);
create index tasks_tenant on tasks (tenant, id);
create index tasks_user on tasks (user_id);
create index tasks_status on tasks (status);

create table sessions (
  id text collate "C" primary key,
  tenant text not null,
  role text not null check (role in ('task_coordinator', 'work_session')),
  origin text not null check (origin in ('minted', 'caller', 'helix')),
  task_id text collate "C" not null references tasks on delete cascade deferrable initially deferred,
  work_session_id text collate "C",
  agent_type text not null,
  created_at timestamptz not null,
  check ((role = 'work_session') = (work_session_id is not null))
);
create index sessions_task on sessions (task_id);

create table work_sessions (
  id text collate "C" primary key,
  tenant text not null,
  task_id text collate "C" not null references tasks on delete cascade deferrable initially deferred,
  helix_session_id text collate "C" not null,
  name text not null,
  description text not null,
  agent_type text not null,
  status text not null check (status in ('pending', 'blocked', 'active', 'completed', 'failed', 'cancelled')),
  status_reason text not null,
  status_changed_at timestamptz not null,
  parent_work_session_id text collate "C" references work_sessions,
  spawned_by_session_id text collate "C",
  agent_config jsonb,
  environment_config jsonb,
  runner text,
  lease_epoch integer not null default 0,
  lease_expires_at timestamptz,
  attempt integer not null default 0,
  result jsonb,
  user_id text not null,
  organization_id text not null,
  task_type text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  completed_at timestamptz,
  constraint work_sessions_helix_session unique (helix_session_id),
  constraint work_sessions_session foreign key (helix_session_id) references sessions deferrable initially deferred,
  check ((completed_at is not null) = (status in ('completed', 'failed', 'cancelled'))),
  check ((runner is null) = (lease_expires_at is null)),
  check (runner is null or status in ('pending', 'active'))
);
create index work_sessions_task on work_sessions (task_id, id);
create index work_sessions_parent on work_sessions (parent_work_session_id);
create index work_sessions_live on work_sessions (agent_type, id) where status in ('pending', 'blocked', 'active');
create index work_sessions_lease on work_sessions (lease_expires_at) where lease_expires_at is not null;
alter table sessions add constraint sessions_work_session
  foreign key (work_session_id) references work_sessions on delete cascade deferrable initially deferred;

create table request_ledger (
  tenant text not null,
  request_id uuid not null,
  payload_hash text not null,
  answer jsonb,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, request_id)
);
`,
);
