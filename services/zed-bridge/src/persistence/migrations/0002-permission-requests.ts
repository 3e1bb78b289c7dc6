import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/** What agents ask to be allowed, and how their sessions are set up. */
export const permissionRequests: NamedMigration = sqlMigration(
  "0002-permission-requests",
  `
alter table zed_thread_mappings
  add column model text,
  add column mode text,
  add column permission_policy text,
  add constraint zed_thread_mappings_permission_policy_check check (permission_policy in ('allow', 'ask', 'reject'));

create table permission_requests (
  id text not null,
  mapping_id text not null,
  turn_id text not null,
  attempt integer not null,
  launch integer not null,
  host_permission_id text not null,
  title text not null,
  tool_name text not null,
  options jsonb not null,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  answered_at timestamptz,
  answered_by text not null,
  option_id text,
  sent_epoch integer not null,
  resolved_at timestamptz,
  outcome text not null,
  constraint permission_requests_pkey primary key (id),
  constraint permission_requests_mapping_id_fkey
    foreign key (mapping_id) references zed_thread_mappings (id) on delete cascade,
  constraint permission_requests_turn_id_fkey foreign key (turn_id) references turns (id) on delete cascade,
  constraint permission_requests_mapping_id_host_permission_id_key unique (mapping_id, host_permission_id)
);
create index permission_requests_turn_id_idx on permission_requests (turn_id);
create index permission_requests_unresolved_idx on permission_requests (expires_at) where resolved_at is null;
`,
);
