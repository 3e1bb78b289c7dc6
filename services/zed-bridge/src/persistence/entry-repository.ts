import type { EntityManager } from "@mikro-orm/postgresql";
import { ThreadEntry } from "../domain/thread-entry.ts";
import type { Turn, TurnStatus } from "../domain/turn.ts";

/** An entry as an editor describes it, and where it belongs. */
export interface HeardEntry {
  readonly id: string;
  readonly mappingId: string;
  readonly turnId: string;
  readonly turnNumber: number;
  readonly attempt: number;
  readonly launch: number;
  readonly epoch: number;
  readonly messageId: string;
  readonly position: number;
  readonly type: "text" | "tool_call";
  readonly content: string;
  readonly toolName: string;
  readonly toolStatus: string;
  /** Whether it shows that the thread is alive on the current link. */
  readonly alive: boolean;
  readonly now: Date;
}

// One statement: the entry, its thread's activity and its log row. It changes nothing about an entry that says what it
// said before, nothing that a newer link has said, and takes no entry that an earlier turn has with the same text.
const UPSERT = `
with heard as (
  insert into thread_entries as e (id, mapping_id, turn_id, turn_number, attempt, launch, epoch, message_id, position,
    role, type, content, tool_name, tool_status, version, created_at, updated_at)
  select ?, ?, ?, ?::int, ?::int, ?::int, ?::int, ?, ?::int, 'assistant', ?, ?::text, ?, ?, 1, ?::timestamptz, ?::timestamptz
  where not exists (
    select 1 from thread_entries o
    where o.mapping_id = ? and o.message_id = ? and o.launch = ?::int and o.turn_number < ?::int and o.content = ?::text
  )
  on conflict (turn_id, launch, message_id) do update
    set type = excluded.type, content = excluded.content, tool_name = excluded.tool_name,
        tool_status = excluded.tool_status, epoch = excluded.epoch, version = e.version + 1,
        updated_at = excluded.updated_at
    where e.epoch <= excluded.epoch
      and (e.type, e.content, e.tool_name, e.tool_status)
        is distinct from (excluded.type, excluded.content, excluded.tool_name, excluded.tool_status)
  returning id
), head as (
  update zed_thread_mappings
  set log_seq = log_seq + (select count(*) from heard), last_activity_at = ?::timestamptz,
      opened_epoch = case when ?::boolean then ?::int else opened_epoch end
  where id = ?
  returning log_seq
), logged as (
  insert into thread_log (mapping_id, kind, ref_id, seq, deleted)
  select ?, 'entry', heard.id, head.log_seq, false from heard, head
  on conflict (mapping_id, kind, ref_id) do update set seq = excluded.seq, deleted = false
)
select id from heard`;

/** What decides where an entry belongs: the link, and the turn that the request id (or, without one, the thread) leads to. */
export interface EntryContext {
  readonly linkEpoch: number;
  readonly launch: number;
  readonly tokenHash: string | null;
  readonly turn: ContextTurn | null;
}

/** The turn of an {@link EntryContext}. */
export interface ContextTurn {
  readonly id: string;
  readonly number: number;
  readonly status: TurnStatus;
  readonly attempt: number;
  readonly stalled: boolean;
  readonly sentEpoch: number;
  readonly sentLaunch: number;
}

interface ContextRow {
  readonly link_epoch: number;
  readonly launch_count: number;
  readonly token_hash: string | null;
  readonly turn: ContextTurn | null;
}

const CONTEXT = `
select i.link_epoch, i.launch_count, i.token_hash,
  case when t.id is not null then jsonb_build_object('id', t.id, 'number', t.number, 'status', t.status,
    'attempt', t.attempt, 'stalled', t.stalled, 'sentEpoch', t.sent_epoch, 'sentLaunch', t.sent_launch) end as turn
from zed_instances i
left join turns t on t.mapping_id = ?
  and case when ?::text = '' then t.status in ('sent', 'running', 'waiting') else t.id = ? end
where i.id = ?`;

/** Which page of a transcript. */
export interface EntryPageQuery {
  readonly mappingId: string;
  readonly after: { readonly turnNumber: number; readonly position: number; readonly id: string } | null;
  readonly limit: number;
  readonly charactersMax: number;
}

/** Entries, and whether there were more that did not fit. */
export interface EntryRows {
  readonly entries: readonly ThreadEntry[];
  readonly more: boolean;
}

/** The transcripts. */
export class EntryRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** What decides where an entry of this thread belongs. */
  async contextOf(mappingId: string, zedSessionId: string, requestId: string): Promise<EntryContext> {
    const rows = await this.#em.execute<ContextRow[]>(CONTEXT, [mappingId, requestId, requestId, zedSessionId]);
    const row = rows[0];
    if (row === undefined) throw new Error(`The thread ${mappingId} has no instance.`);
    return { linkEpoch: row.link_epoch, launch: row.launch_count, tokenHash: row.token_hash, turn: row.turn };
  }

  /** Stores what an editor says of an entry, with its log row. Returns whether that was news. */
  async hear(entry: HeardEntry): Promise<boolean> {
    const { id, mappingId, turnId, turnNumber, attempt, launch, epoch, messageId, position } = entry;
    const { type, content, toolName, toolStatus, alive } = entry;
    const at = entry.now.toISOString();
    const place = [id, mappingId, turnId, turnNumber, attempt, launch, epoch, messageId, position];
    const said = [type, content, toolName, toolStatus, at, at];
    const same = [mappingId, messageId, launch, turnNumber, content];
    const thread = [at, alive, epoch, mappingId, mappingId];
    const rows = await this.#em.execute<{ id: string }[]>(UPSERT, [...place, ...said, ...same, ...thread]);
    return rows.length > 0;
  }

  /** Stores the prompt as its turn's first entry, and gives its id; `null` if it is there already. */
  async addPrompt(id: string, turn: Turn, now: Date): Promise<string | null> {
    const at = now.toISOString();
    const rows = await this.#em.execute<{ id: string }[]>(
      `insert into thread_entries (id, mapping_id, turn_id, turn_number, attempt, launch, epoch, message_id, position,
         role, type, content, tool_name, tool_status, version, created_at, updated_at)
       values (?, ?, ?, ?, 0, 0, 0, 'prompt', 0, 'user', 'text', ?, '', '', 1, ?, ?)
       on conflict (turn_id, launch, message_id) do nothing
       returning id`,
      [id, turn.mappingId, turn.id, turn.number, turn.message, at, at],
    );
    return rows[0]?.id ?? null;
  }

  /** A page of a transcript, oldest first, cut where its texts would be longer than allowed, yet never empty for that. */
  async page({ mappingId, after, limit, charactersMax }: EntryPageQuery): Promise<EntryRows> {
    const { turnNumber, position, id } = after ?? { turnNumber: -1, position: -1, id: "" };
    const ids = await this.#em.execute<{ id: string; before: string }[]>(
      `select id, coalesce(sum(length(content)) over (order by turn_number, position, id
         rows between unbounded preceding and 1 preceding), 0) as before
       from thread_entries
       where mapping_id = ? and (turn_number, position, id) > (?::int, ?::int, ?)
       order by turn_number, position, id limit ?`,
      [mappingId, turnNumber, position, id, limit],
    );
    const chosen = ids.filter(({ before }) => Number(before) < charactersMax).map((row) => row.id);
    const order = { turnNumber: "asc", position: "asc", id: "asc" } as const;
    const entries = await this.#em.find(ThreadEntry, { id: { $in: chosen } }, { orderBy: order });
    return { entries, more: chosen.length < ids.length };
  }

  /** Forgets what an attempt that is over has said, and gives the ids. */
  async deleteAnswer(turn: Turn): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(
      "delete from thread_entries where turn_id = ? and role = 'assistant' returning id",
      [turn.id],
    );
    return rows.map(({ id }) => id);
  }

  /** Whether the agent has said or done anything in the turn. */
  async hasAnswer(turn: Turn): Promise<boolean> {
    const rows = await this.#em.execute<unknown[]>(
      `select 1 from thread_entries where turn_id = ? and role = 'assistant' and content ~ '\\S' limit 1`,
      [turn.id],
    );
    return rows.length > 0;
  }

  /** The last thing that the agent said in the turn, at most so many characters of it; empty for nothing. */
  async closingWords(turn: Turn, charactersMax: number): Promise<string> {
    const rows = await this.#em.execute<{ content: string }[]>(
      `select left(content, ?::int) as content from thread_entries
       where turn_id = ? and role = 'assistant' and type = 'text' and content ~ '\\S'
       order by position desc, id desc limit 1`,
      [charactersMax, turn.id],
    );
    return rows[0]?.content ?? "";
  }

  /** Whether a tool of the turn is in one of these statuses. */
  async hasTool(turnId: string, launch: number, statuses: readonly string[]): Promise<boolean> {
    const rows = await this.#em.execute<unknown[]>(
      "select 1 from thread_entries where turn_id = ? and launch = ? and tool_status = any (?::text[]) limit 1",
      [turnId, launch, `{${statuses.map((status) => `"${status}"`).join(",")}}`],
    );
    return rows.length > 0;
  }
}
