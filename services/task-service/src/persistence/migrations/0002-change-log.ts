import { sqlMigration } from "@helix-zed/persistence";

/**
 * The change log; how it comes to its numbers is told in `change-log.ts`.
 *
 * `sequence_changes` numbers all committed rows that have no number yet, and answers with the last number given out. The
 * head's row is locked first. Each statement of the function sees what was committed when that statement began, so the
 * numbering sees everything that was committed before the lock was had, and nobody else numbers meanwhile.
 */
export const changeLog = sqlMigration(
  "0002-change-log",
  `
create table change_head (
  only_row boolean primary key default true check (only_row),
  seq bigint not null default 0,
  epoch uuid not null default gen_random_uuid()
);
insert into change_head default values;

create table change_log (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  seq bigint,
  tenant text not null,
  kind text not null check (kind in ('task', 'work_session')),
  ref_id text collate "C" not null,
  task_id text collate "C" not null,
  before jsonb,
  after jsonb,
  appended_at timestamptz not null default clock_timestamp(),
  check (before is not null or after is not null)
);
create unique index change_log_seq on change_log (seq) where seq is not null;
create index change_log_tenant on change_log (tenant, seq) where seq is not null;
create index change_log_unnumbered on change_log (id) where seq is null;

create function sequence_changes() returns bigint language plpgsql as $$
declare
  last_seq bigint;
  numbered bigint;
begin
  if not exists (select from change_log where seq is null) then
    return (select seq from change_head);
  end if;
  select seq into last_seq from change_head for update;
  with unnumbered as (
    select id, min(id) over (partition by xid) as first_id from change_log where seq is null
  ), placed as (
    select id, row_number() over (order by first_id, id) as place from unnumbered
  )
  update change_log set seq = last_seq + place from placed where change_log.id = placed.id;
  get diagnostics numbered = row_count;
  if numbered = 0 then
    return last_seq;
  end if;
  update change_head set seq = last_seq + numbered;
  perform pg_notify('change_log', (last_seq + numbered)::text);
  return last_seq + numbered;
end
$$;
`,
);
