import type { EntityManager } from "@mikro-orm/postgresql";
import { type EntryRole, ThreadEntry } from "../domain/thread-entry.ts";
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
  readonly role: EntryRole;
  readonly type: "text" | "tool_call";
  readonly content: string;
  readonly toolName: string;
  readonly toolStatus: string;
  /** Whether it shows that the thread is alive on the current link. */
  readonly alive: boolean;
  readonly now: Date;
}

// One statement: the entry, its thread's activity, what is known of its turn and its log row. It changes nothing about an
// entry that says what it said before, nothing that a newer link has said, and takes no entry that an earlier turn has with
// the same text.
const UPSERT = `
with heard as (
  insert into thread_entries as e (id, mapping_id, turn_id, turn_number, attempt, launch, epoch, message_id, position,
    role, type, content, tool_name, tool_status, version, created_at, updated_at)
  select ?, ?, ?, ?::int, ?::int, ?::int, ?::int, ?, ?::int, ?, ?, ?::text, ?, ?, 1, ?::timestamptz, ?::timestamptz
  where not exists (
    select 1 from thread_entries o
    where o.mapping_id = ? and o.message_id = ? and o.turn_number < ?::int and o.content = ?::text
  )
  on conflict (turn_id, launch, message_id) do update
    set type = excluded.type, content = excluded.content, tool_name = excluded.tool_name,
        tool_status = excluded.tool_status, epoch = excluded.epoch, version = e.version + 1,
        updated_at = excluded.updated_at
    where e.epoch <= excluded.epoch and e.role = excluded.role
      and (e.type, e.content, e.tool_name, e.tool_status)
        is distinct from (excluded.type, excluded.content, excluded.tool_name, excluded.tool_status)
  returning id
), head as (
  update zed_thread_mappings
  set log_seq = log_seq + (select count(*) from heard), last_activity_at = ?::timestamptz,
      opened_epoch = case when ?::boolean then ?::int else opened_epoch end
  where id = ?
  returning log_seq
), noted as (
  update turns set heard_count = heard_count + 1, heard_at = ?::timestamptz, heard_epoch = greatest(heard_epoch, ?::int),
    heard_last = 'message_added'
  where id = ?
), logged as (
  insert into thread_log (mapping_id, kind, ref_id, seq, deleted)
  select ?, 'entry', heard.id, head.log_seq, false from heard, head
  on conflict (mapping_id, kind, ref_id) do update set seq = excluded.seq, deleted = false
)
select id from heard`;

/** What decides where an entry belongs: the link, and the turns that it may belong to. */
export interface EntryContext {
  readonly linkEpoch: number;
  readonly launch: number;
  readonly tokenHash: string | null;
  /** The turn that the request id (or, without one, the thread) leads to. */
  readonly named: ContextTurn | null;
  /** The last turn that was typed in the editor before this place. */
  readonly typed: ContextTurn | null;
}

/** What decides what a person's words in the editor are. */
export interface UserEntryContext {
  readonly linkEpoch: number;
  readonly launch: number;
  readonly tokenHash: string | null;
  readonly lastPosition: number | null;
  readonly placeTaken: boolean;
  readonly wordsKnown: boolean;
}

/** Words of a person within a turn that nothing has answered. */
export interface UnansweredWords {
  readonly id: string;
  readonly position: number;
  readonly content: string;
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
  readonly named: ContextTurn | null;
  readonly typed: ContextTurn | null;
}

const asTurn = (alias: string): string => `
  case when ${alias}.id is not null then jsonb_build_object('id', ${alias}.id, 'number', ${alias}.number,
    'status', ${alias}.status, 'attempt', ${alias}.attempt, 'stalled', ${alias}.stalled,
    'sentEpoch', ${alias}.sent_epoch, 'sentLaunch', ${alias}.sent_launch) end`;

const CONTEXT = `
select i.link_epoch, i.launch_count, i.token_hash, ${asTurn("t")} as named, ${asTurn("e")} as typed
from zed_instances i
left join turns t on t.mapping_id = ?
  and case when ?::text = '' then t.status in ('sent', 'running', 'waiting') else t.id = ? end
left join lateral (
  select * from turns e
  where e.mapping_id = ? and e.origin = 'editor' and e.sent_launch = i.launch_count and e.anchor < ?::int
  order by e.number desc limit 1
) e on true
where i.id = ?`;

const USER_CONTEXT = `
select i.link_epoch as "linkEpoch", i.launch_count as launch, i.token_hash as "tokenHash",
  (select max(position) from thread_entries e where e.mapping_id = m.id and e.launch = i.launch_count) as "lastPosition",
  exists (
    select 1 from thread_entries e where e.mapping_id = m.id and e.message_id = ? and e.launch = i.launch_count
  ) as "placeTaken",
  exists (select 1 from turns t where t.mapping_id = m.id and btrim(t.message) = btrim(?)) as "wordsKnown"
from zed_thread_mappings m join zed_instances i on i.id = m.zed_session_id
where m.id = ?`;

/** What somebody said to the agent, and where. */
export interface SaidWords {
  readonly turn: Turn;
  readonly launch: number;
  readonly epoch: number;
  readonly messageId: string;
  readonly position: number;
  readonly content: string;
  readonly now: Date;
}

/** Where an entry says that it belongs. */
export interface EntryPlace {
  readonly mappingId: string;
  readonly zedSessionId: string;
  /** Empty: of none. */
  readonly requestId: string;
  readonly position: number;
}

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
  async contextOf({ mappingId, zedSessionId, requestId, position }: EntryPlace): Promise<EntryContext> {
    const values = [mappingId, requestId, requestId, mappingId, position, zedSessionId];
    const rows = await this.#em.execute<ContextRow[]>(CONTEXT, values);
    const row = rows[0];
    if (row === undefined) throw new Error(`The thread ${mappingId} has no instance.`);
    const { link_epoch: linkEpoch, launch_count: launch, token_hash: tokenHash, named, typed } = row;
    return { linkEpoch, launch, tokenHash, named, typed };
  }

  /** What decides what a person's words in this thread are. */
  async userContextOf(mappingId: string, messageId: string, words: string): Promise<UserEntryContext> {
    const rows = await this.#em.execute<UserEntryContext[]>(USER_CONTEXT, [messageId, words, mappingId]);
    const row = rows[0];
    if (row === undefined) throw new Error(`The thread ${mappingId} has no instance.`);
    return row;
  }

  /** The turn that has an entry of this number in a launch; the newest, should there be several. */
  async ownerOf(
    { mappingId }: Pick<EntryPlace, "mappingId">,
    messageId: string,
    launch: number,
  ): Promise<Pick<ContextTurn, "id" | "number" | "attempt"> | null> {
    const rows = await this.#em.execute<Pick<ContextTurn, "id" | "number" | "attempt">[]>(
      `select t.id, t.number, t.attempt from thread_entries e join turns t on t.id = e.turn_id
       where e.mapping_id = ? and e.message_id = ? and e.launch = ?::int order by t.number desc limit 1`,
      [mappingId, messageId, launch],
    );
    return rows[0] ?? null;
  }

  /** Stores what an editor says of an entry, with its log row. Returns whether that was news. */
  async hear(entry: HeardEntry): Promise<boolean> {
    const { id, mappingId, turnId, turnNumber, attempt, launch, epoch, messageId, position, role } = entry;
    const { type, content, toolName, toolStatus, alive } = entry;
    const at = entry.now.toISOString();
    const place = [id, mappingId, turnId, turnNumber, attempt, launch, epoch, messageId, position];
    const said = [role, type, content, toolName, toolStatus, at, at];
    const same = [mappingId, messageId, turnNumber, content];
    const thread = [at, alive, epoch, mappingId];
    const noted = [at, epoch, turnId, mappingId];
    const rows = await this.#em.execute<{ id: string }[]>(UPSERT, [...place, ...said, ...same, ...thread, ...noted]);
    return rows.length > 0;
  }

  /** Stores the prompt as its turn's first entry, and gives its id; `null` if it is there already. */
  async addPrompt(id: string, turn: Turn, now: Date): Promise<string | null> {
    const place = { launch: 0, epoch: 0, messageId: "prompt", position: 0 };
    return (await this.addWords(id, { ...place, turn, content: turn.message, now })) ? id : null;
  }

  /** Stores what somebody said to the agent. Returns whether it was not there already. */
  async addWords(id: string, { turn, launch, epoch, messageId, position, content, now }: SaidWords): Promise<boolean> {
    const at = now.toISOString();
    const attempt = launch === 0 ? 0 : turn.attempt;
    const rows = await this.#em.execute<unknown[]>(
      `insert into thread_entries (id, mapping_id, turn_id, turn_number, attempt, launch, epoch, message_id, position,
         role, type, content, tool_name, tool_status, version, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'user', 'text', ?, '', '', 1, ?, ?)
       on conflict (turn_id, launch, message_id) do nothing
       returning id`,
      [id, turn.mappingId, turn.id, turn.number, attempt, launch, epoch, messageId, position, content, at, at],
    );
    return rows.length > 0;
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

  /** The last words of a person within a turn of the editor's present launch, if nothing has come after them. */
  async unansweredWords({ id, sentLaunch }: Turn): Promise<UnansweredWords | null> {
    const rows = await this.#em.execute<(UnansweredWords & { role: EntryRole })[]>(
      `select id, position, content, role from thread_entries
       where turn_id = ? and launch = ? order by position desc limit 1`,
      [id, sentLaunch],
    );
    const last = rows[0];
    return last?.role === "user" ? last : null;
  }

  /** Gives words to the turn that they begin. */
  async moveWords(entryId: string, { id, number }: Turn): Promise<void> {
    const values = [id, number, entryId];
    await this.#em.execute(
      "update thread_entries set turn_id = ?, turn_number = ?, version = version + 1 where id = ?",
      values,
    );
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
