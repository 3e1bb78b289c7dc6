import type { EntityManager } from "@mikro-orm/postgresql";
import type { OverdueFacts } from "../domain/overdue.ts";
import type { TurnStatus } from "../domain/turn.ts";
import { type LaunchTarget, losesNoEvent } from "../domain/zed-instance.ts";

/** A thread in which something could be overdue. */
export interface WatchedThread {
  readonly mappingId: string;
  readonly turnId: string | null;
  readonly facts: OverdueFacts;
}

interface WatchedRow {
  readonly mapping_id: string;
  readonly zed_thread_id: string | null;
  readonly opened_epoch: number;
  readonly open_sent_epoch: number;
  readonly open_sent_at: Date | string | null;
  readonly last_activity_at: Date | string | null;
  readonly connected: boolean;
  readonly link_epoch: number;
  readonly connected_at: Date | string | null;
  readonly turn_id: string | null;
  readonly status: TurnStatus | null;
  readonly sent_at: Date | string | null;
  readonly sent_epoch: number | null;
  readonly stalled: boolean | null;
  readonly cancel_requested_at: Date | string | null;
  readonly received_at: Date | string | null;
  readonly heard_epoch: number | null;
  readonly probe_epoch: number | null;
  readonly probe_cancelled_at: Date | string | null;
  readonly launch_target: LaunchTarget;
  readonly blocked: boolean | null;
  readonly free_since: Date | string | null;
  readonly tool_runs: boolean;
}

// An editor has one queue. What blocks it are follow-ups of other threads that were sent earlier, until they end; the
// making of a thread does not, nor what is typed in the editor. What is sent at one moment goes in the order of the threads.
// acp-host has a queue for each thread.
const WATCHED = `
select m.id as mapping_id, m.zed_thread_id, m.opened_epoch, m.open_sent_epoch, m.open_sent_at, m.last_activity_at,
  i.connected, i.link_epoch, i.connected_at,
  t.id as turn_id, t.status, t.sent_at, t.sent_epoch, t.stalled, t.cancel_requested_at, t.received_at, t.heard_epoch,
  t.probe_epoch, t.probe_cancelled_at, i.launch_target,
  q.blocked, q.free_since,
  exists (
    select 1 from thread_entries e
    where e.turn_id = t.id and e.launch = t.sent_launch
      and e.tool_status in ('Pending', 'In Progress', 'Waiting for confirmation')
  ) as tool_runs
from zed_thread_mappings m
join zed_instances i on i.id = m.zed_session_id
left join turns t on t.mapping_id = m.id and t.status in ('sent', 'running', 'waiting')
left join lateral (
  select bool_or(o.status in ('sent', 'running', 'waiting')) as blocked, max(o.completed_at) as free_since
  from zed_thread_mappings other
  join turns o on o.mapping_id = other.id
  where other.zed_session_id = i.id and other.id <> m.id and o.sent_launch = t.sent_launch
    and (o.sent_at, other.id) < (t.sent_at, m.id) and not o.creates_thread and o.origin = 'caller'
    and i.launch_target <> 'acp-host' and (o.status in ('sent', 'running', 'waiting') or o.completed_at > t.sent_at)
) q on t.status = 'sent'
where i.runner = ? and (?::text is null or m.id = ?) and m.status not in ('completed', 'failed')
  and (t.id is not null or (m.zed_thread_id is not null and m.opened_epoch <> i.link_epoch
    and m.open_sent_epoch = i.link_epoch))`;

const WAITING_FOR_TIME = `
select distinct i.id
from zed_instances i
join zed_thread_mappings m on m.zed_session_id = i.id
where i.runner = ? and i.connected and m.status not in ('completed', 'failed') and m.lease_epoch is not null
  and (
    (m.zed_thread_id is not null and m.opened_epoch <> i.link_epoch and m.open_sent_epoch <> i.link_epoch)
    or exists (
      select 1 from turns t
      where t.mapping_id = m.id and t.status in ('sent', 'running', 'waiting') and t.cancel_requested_at is not null
        and t.cancel_sent_epoch <> i.link_epoch
    )
    or (
      exists (select 1 from turns t where t.mapping_id = m.id and t.status = 'queued')
      and not exists (select 1 from turns t where t.mapping_id = m.id and t.status in ('sent', 'running', 'waiting'))
    )
  )`;

const WITHOUT_THREADS = `
select i.id from zed_instances i
where i.runner = ? and i.desired = 'running' and i.status not in ('failed', 'stopped') and i.launch_target <> 'external'
  and not exists (
    select 1 from zed_thread_mappings m
    where m.zed_session_id = i.id and (m.status not in ('completed', 'failed') or m.ended_at > ?::timestamptz)
  )
  and not exists (
    select 1 from editor_threads e where e.zed_session_id = i.id and e.status in ('wanted', 'created')
  )`;

// A window may be somebody's, and what somebody else has started is theirs: only the others can be idle.
const IDLE = `
select i.id from zed_instances i
where i.runner = ? and i.desired = 'running' and i.status not in ('failed', 'stopped')
  and i.launch_target in ('acp-host', 'zed-headless') and coalesce(i.started_at, i.created_at) < ?::timestamptz
  and not exists (
    select 1 from zed_thread_mappings m
    where m.zed_session_id = i.id and m.status not in ('completed', 'failed')
      and (m.created_at >= ?::timestamptz or m.last_activity_at >= ?::timestamptz or exists (
        select 1 from turns t
        where t.mapping_id = m.id
          and (t.status in ('queued', 'sent', 'running', 'waiting') or t.completed_at >= ?::timestamptz)
      ))
  )`;

/** What may be overdue. */
export class DeadlineRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** The threads of a bridge in which something could be overdue; or one of them. */
  async watched(runner: string, mappingId: string | null = null): Promise<WatchedThread[]> {
    const rows = await this.#em.execute<WatchedRow[]>(WATCHED, [runner, mappingId, mappingId]);
    return rows.map(toWatched);
  }

  /** The connected instances whose next command waits for nothing but time. */
  async instancesWaitingForTime(runner: string): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(WAITING_FOR_TIME, [runner]);
    return rows.map(({ id }) => id);
  }

  /** The wanted instances without a thread that lives or has ended after `endedAfter`. */
  async instancesWithoutThreads(runner: string, endedAfter: Date): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(WITHOUT_THREADS, [runner, endedAfter.toISOString()]);
    return rows.map(({ id }) => id);
  }

  /** The wanted instances in which nothing was to be done since `since`. */
  async idleInstances(runner: string, since: Date): Promise<string[]> {
    const at = since.toISOString();
    const rows = await this.#em.execute<{ id: string }[]>(IDLE, [runner, at, at, at, at]);
    return rows.map(({ id }) => id);
  }
}

function toWatched(row: WatchedRow): WatchedThread {
  const { turn_id: turnId, status, connected } = row;
  const turn =
    turnId === null || status === null
      ? null
      : {
          status,
          sentAt: toDate(row.sent_at),
          sentEpoch: row.sent_epoch ?? 0,
          stalled: row.stalled ?? false,
          cancelRequestedAt: toDate(row.cancel_requested_at),
          receivedAt: toDate(row.received_at),
          heardEpoch: row.heard_epoch ?? 0,
          probeEpoch: row.probe_epoch ?? 0,
          probeCancelledAt: toDate(row.probe_cancelled_at),
        };
  const thread = {
    zedThreadId: row.zed_thread_id,
    openedEpoch: row.opened_epoch,
    openSentEpoch: row.open_sent_epoch,
    openSentAt: toDate(row.open_sent_at),
    lastActivityAt: toDate(row.last_activity_at),
  };
  const link = { connected, epoch: row.link_epoch, connectedAt: toDate(row.connected_at) };
  const queue = { blocked: row.blocked ?? false, freeSince: toDate(row.free_since) };
  const keepsEvents = losesNoEvent(row.launch_target);
  const facts = { thread, turn, link, queue, keepsEvents, toolRuns: row.tool_runs };
  return { mappingId: row.mapping_id, turnId, facts };
}

function toDate(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}
