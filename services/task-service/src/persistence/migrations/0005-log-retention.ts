import { sqlMigration } from "@helix-zed/persistence";

/**
 * What lets the log forget, and lets it notice that it is not the log that it was.
 *
 * `floor` is the number before the oldest change that is kept. `compact_changes` drops the oldest changes and raises it in
 * one transaction, and touches the head only at its end, so that nobody who numbers waits for the deletion.
 *
 * `incarnation` says where the log lives: the cluster, its timeline, the database, the table. One of them is another after
 * a fail-over, a recovery to a point in time, a restored dump or a copied database, all of which may lack what the log had
 * before. A new epoch then begins, which no older resume token is of.
 *
 * `sequence_changes` no longer notifies by itself: processes do, but not more often than is of use.
 */
export const logRetention = sqlMigration(
  "0005-log-retention",
  `
create function log_incarnation() returns text language sql as $$
  select concat_ws('/', s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), d.oid,
    'change_head'::regclass::oid)
  from pg_control_system() s, pg_database d
  where d.datname = current_database()
$$;

alter table change_head add column floor bigint not null default 0;
alter table change_head add column incarnation text;
update change_head
  set floor = coalesce((select min(seq) - 1 from change_log where seq is not null), seq), incarnation = log_incarnation();
alter table change_head alter column incarnation set not null;

create function refresh_log(look_around boolean) returns table (epoch uuid, head bigint, floor bigint)
language plpgsql as $$
declare
  here text;
begin
  perform sequence_changes();
  if look_around then
    here := log_incarnation();
    update change_head h set incarnation = here, epoch = gen_random_uuid() where h.incarnation <> here;
  end if;
  return query select h.epoch, h.seq, h.floor from change_head h;
end
$$;

create function compact_changes(keep_ms bigint, keep_changes bigint, batch integer) returns integer language plpgsql as $$
declare
  cut bigint;
  dropped integer;
begin
  -- One process at a time: others find that somebody is at it.
  if not pg_try_advisory_xact_lock(4841520002) then
    return 0;
  end if;
  select coalesce(min(o.seq) filter (where o.appended_at > clock_timestamp() - keep_ms * interval '1 ms') - 1, max(o.seq))
    into cut
    from change_head h, lateral (
      select c.seq, c.appended_at from change_log c
      where c.seq > h.floor and c.seq <= h.seq - keep_changes order by c.seq limit batch
    ) o;
  delete from change_log where seq <= cut;
  get diagnostics dropped = row_count;
  if dropped > 0 then
    update change_head set floor = cut where floor < cut;
  end if;
  return dropped;
end
$$;

create or replace function sequence_changes() returns bigint language plpgsql as $$
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
  if numbered > 0 then
    update change_head set seq = last_seq + numbered;
  end if;
  return last_seq + numbered;
end
$$;
`,
);
