import { type NamedMigration, sqlMigration } from "@helix-zed/persistence";

/**
 * What a turn is known by after a broken link: whether the editor has it, when it was last heard of and on which
 * connection, and whether the editor was asked after it. Where it came from. Titles, usage, and threads that people begin
 * in their editor.
 */
export const reconciling: NamedMigration = sqlMigration(
  "0005-reconciling",
  `
alter table turns
  add column origin text not null default 'caller',
  add column wire_id text not null default '',
  add column anchor integer,
  add column received_at timestamptz,
  add column heard_count bigint not null default 0,
  add column heard_at timestamptz,
  add column heard_epoch integer not null default 0,
  add column heard_last text not null default '',
  add column probe_epoch integer not null default 0,
  add column probe_sent_epoch integer not null default 0,
  add column probe_cancelled_at timestamptz,
  add constraint turns_origin_check check (origin in ('caller', 'editor'));
alter table turns set (fillfactor = 70);
create index turns_editor_idx on turns (mapping_id, number) where origin = 'editor';

alter table zed_thread_mappings
  add column title text not null default '',
  add column usage jsonb;

create table editor_threads (
  zed_session_id text not null,
  zed_thread_id text not null,
  status text not null,
  title text not null,
  agent_name text not null,
  first_words text not null,
  launch integer not null,
  work_session_id text,
  attempts integer not null,
  next_attempt_at timestamptz,
  error text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint editor_threads_pkey primary key (zed_session_id, zed_thread_id),
  constraint editor_threads_zed_session_id_fkey
    foreign key (zed_session_id) references zed_instances (id) on delete cascade,
  constraint editor_threads_status_check check (status in ('draft', 'wanted', 'created', 'bound', 'refused'))
);
create index editor_threads_wanted_idx on editor_threads (next_attempt_at) where status = 'wanted';

create table editor_thread_events (
  zed_session_id text not null,
  zed_thread_id text not null,
  key text not null,
  seq integer not null,
  event jsonb not null,
  constraint editor_thread_events_pkey primary key (zed_session_id, zed_thread_id, key),
  constraint editor_thread_events_thread_fkey foreign key (zed_session_id, zed_thread_id)
    references editor_threads (zed_session_id, zed_thread_id) on delete cascade
);
`,
);
