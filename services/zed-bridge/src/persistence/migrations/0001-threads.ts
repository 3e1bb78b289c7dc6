import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/** Instances, threads, turns, transcripts and the log that watches follow. */
export const threads: NamedMigration = sqlMigration(
  "0001-threads",
  `
create table zed_instances (
  id text not null,
  tenant text not null,
  user_id text not null,
  organization_id text not null,
  task_id text not null,
  working_directory text not null,
  launch_target text not null,
  runner text not null,
  token_hash text,
  desired text not null,
  status text not null,
  status_reason text not null,
  pid integer,
  pid_started_at text,
  launch_count integer not null,
  restart_count integer not null,
  recent_exits jsonb not null,
  next_launch_at timestamptz,
  last_log_lines jsonb not null,
  link_epoch integer not null,
  connected boolean not null,
  connected_at timestamptz,
  link_lost_at timestamptz,
  ready_epoch integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  constraint zed_instances_pkey primary key (id),
  constraint zed_instances_task_id_working_directory_key unique (task_id, working_directory),
  constraint zed_instances_desired_check check (desired in ('running', 'stopped')),
  constraint zed_instances_status_check check (status in ('starting', 'running', 'restarting', 'stopped', 'failed'))
);
create index zed_instances_tenant_id_idx on zed_instances (tenant, id);
create index zed_instances_runner_idx on zed_instances (runner);

create table zed_thread_mappings (
  id text not null,
  work_session_id text not null,
  tenant text not null,
  task_id text not null,
  zed_session_id text not null,
  zed_thread_id text,
  project_path text not null,
  workspace_config jsonb not null,
  agent_name text not null,
  status text not null,
  status_reason text not null,
  status_changed_at timestamptz not null,
  on_turn_end text not null,
  lease_epoch bigint,
  first_prompt_queued boolean not null,
  turn_count integer not null,
  opened_epoch integer not null,
  open_sent_epoch integer not null,
  open_sent_at timestamptz,
  open_failures integer not null,
  open_not_before timestamptz,
  replaced_for_turn_id text,
  outcome text,
  outcome_reason text not null,
  outcome_summary text not null,
  outcome_error text not null,
  outcome_reported text,
  outcome_reported_at timestamptz,
  log_seq bigint not null,
  version integer not null,
  last_activity_at timestamptz,
  ended_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint zed_thread_mappings_pkey primary key (id),
  constraint zed_thread_mappings_work_session_id_key unique (work_session_id),
  constraint zed_thread_mappings_zed_session_id_zed_thread_id_key unique (zed_session_id, zed_thread_id),
  constraint zed_thread_mappings_zed_session_id_fkey foreign key (zed_session_id) references zed_instances (id),
  constraint zed_thread_mappings_status_check
    check (status in ('pending', 'active', 'disconnected', 'completed', 'failed')),
  constraint zed_thread_mappings_on_turn_end_check check (on_turn_end in ('complete', 'idle')),
  constraint zed_thread_mappings_outcome_check check (outcome in ('active', 'completed', 'failed', 'cancelled'))
) with (fillfactor = 70);
create index zed_thread_mappings_zed_session_id_idx on zed_thread_mappings (zed_session_id)
  where status not in ('completed', 'failed');
create index zed_thread_mappings_report_idx on zed_thread_mappings (updated_at)
  where outcome is not null and outcome is distinct from outcome_reported;

create table turns (
  id text not null,
  mapping_id text not null,
  number integer not null,
  message text not null,
  interrupt boolean not null,
  status text not null,
  status_reason text not null,
  error text not null,
  stalled boolean not null,
  attempt integer not null,
  caller_request_id text,
  payload_hash text,
  usage jsonb,
  sent_epoch integer not null,
  sent_launch integer not null,
  sent_at timestamptz,
  creates_thread boolean not null,
  started_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text not null,
  cancel_sent_epoch integer not null,
  completed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint turns_pkey primary key (id),
  constraint turns_mapping_id_fkey foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade,
  constraint turns_mapping_id_number_key unique (mapping_id, number),
  constraint turns_mapping_id_caller_request_id_key unique (mapping_id, caller_request_id),
  constraint turns_status_check
    check (status in ('queued', 'sent', 'running', 'waiting', 'completed', 'failed', 'interrupted'))
);
create unique index turns_one_in_flight_key on turns (mapping_id) where status in ('sent', 'running', 'waiting');
create index turns_live_idx on turns (mapping_id, number) where status in ('queued', 'sent', 'running', 'waiting');
create index turns_owed_cancel_idx on turns (mapping_id)
  where status in ('interrupted', 'failed') and cancel_requested_at is not null and cancel_sent_epoch = 0;

create table thread_entries (
  id text not null,
  mapping_id text not null,
  turn_id text not null,
  turn_number integer not null,
  attempt integer not null,
  launch integer not null,
  epoch integer not null,
  message_id text not null,
  position integer not null,
  role text not null,
  type text not null,
  content text not null,
  tool_name text not null,
  tool_status text not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint thread_entries_pkey primary key (id),
  constraint thread_entries_mapping_id_fkey
    foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade,
  constraint thread_entries_turn_id_fkey foreign key (turn_id) references turns (id) on delete cascade,
  constraint thread_entries_turn_id_launch_message_id_key unique (turn_id, launch, message_id),
  constraint thread_entries_role_check check (role in ('user', 'assistant')),
  constraint thread_entries_type_check check (type in ('text', 'tool_call'))
) with (fillfactor = 70);
create index thread_entries_order_idx on thread_entries (mapping_id, turn_number, position, id);
create index thread_entries_message_id_idx on thread_entries (mapping_id, message_id, launch);

create table thread_log (
  mapping_id text not null,
  kind text not null,
  ref_id text not null,
  seq bigint not null,
  deleted boolean not null,
  constraint thread_log_pkey primary key (mapping_id, kind, ref_id),
  constraint thread_log_mapping_id_fkey
    foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade,
  constraint thread_log_kind_check check (kind in ('mapping', 'turn', 'entry'))
);
create unique index thread_log_mapping_id_seq_key on thread_log (mapping_id, seq);
`,
);
