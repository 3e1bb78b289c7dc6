import type { EntityManager } from "@mikro-orm/postgresql";
import type { EditorThread, EditorThreadKey, KeptEvent } from "../domain/editor-thread.ts";

const COLUMNS = `t.zed_session_id as "zedSessionId", t.zed_thread_id as "zedThreadId", t.status, t.title,
  t.first_words as "firstWords", t.launch, t.work_session_id as "workSessionId", t.attempts`;

const KEEP = `
insert into editor_thread_events as e (zed_session_id, zed_thread_id, key, seq, event)
select ?, ?, ?, 1 + coalesce(max(seq), 0), ?::jsonb from editor_thread_events where zed_session_id = ? and zed_thread_id = ?
having count(*) < ?::int
on conflict (zed_session_id, zed_thread_id, key) do update set event = excluded.event
returning seq`;

/** Threads that people began in editors, until they have a mapping. Lock the instance before them, or nothing. */
export class EditorThreadRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  async lock({ zedSessionId, zedThreadId }: EditorThreadKey): Promise<EditorThread | null> {
    const rows = await this.#em.execute<EditorThread[]>(
      `select ${COLUMNS} from editor_threads t where t.zed_session_id = ? and t.zed_thread_id = ? for update`,
      [zedSessionId, zedThreadId],
    );
    return rows[0] ?? null;
  }

  /** How many threads of an editor have no mapping yet. */
  async countOpen(zedSessionId: string): Promise<number> {
    const rows = await this.#em.execute<{ count: string }[]>(
      `select count(*) as count from editor_threads where zed_session_id = ? and status in ('draft', 'wanted', 'created')`,
      [zedSessionId],
    );
    return Number(rows[0]?.count);
  }

  /** Adds a thread, or changes what is known of it. */
  async put(thread: EditorThread, now: Date): Promise<void> {
    const { zedSessionId, zedThreadId, status, title, firstWords, launch, workSessionId, attempts } = thread;
    const at = now.toISOString();
    await this.#em.execute(
      `insert into editor_threads (zed_session_id, zed_thread_id, status, title, agent_name, first_words, launch,
         work_session_id, attempts, error, created_at, updated_at)
       values (?, ?, ?, ?, '', ?, ?, ?, ?, '', ?, ?)
       on conflict (zed_session_id, zed_thread_id) do update
         set status = excluded.status, title = excluded.title, first_words = excluded.first_words,
             work_session_id = excluded.work_session_id, attempts = excluded.attempts, updated_at = excluded.updated_at`,
      [zedSessionId, zedThreadId, status, title, firstWords, launch, workSessionId, attempts, at, at],
    );
  }

  async setTitle({ zedSessionId, zedThreadId }: EditorThreadKey, title: string): Promise<void> {
    await this.#em.execute("update editor_threads set title = ? where zed_session_id = ? and zed_thread_id = ?", [
      title,
      zedSessionId,
      zedThreadId,
    ]);
  }

  /** Why no session could be made, and when to try again; `null`: never. */
  async postpone({ zedSessionId, zedThreadId }: EditorThreadKey, error: string, until: Date | null): Promise<void> {
    await this.#em.execute(
      `update editor_threads set error = ?, attempts = attempts + 1, next_attempt_at = ?::timestamptz,
         status = case when ?::timestamptz is null then 'refused' else status end
       where zed_session_id = ? and zed_thread_id = ? and status = 'wanted'`,
      [error, until?.toISOString() ?? null, until?.toISOString() ?? null, zedSessionId, zedThreadId],
    );
  }

  /** The threads of a bridge's editors that are to become work sessions now, and of those that no bridge runs yet. */
  wanted(runner: string, now: Date): Promise<EditorThread[]> {
    return this.#em.execute<EditorThread[]>(
      `select ${COLUMNS} from editor_threads t join zed_instances i on i.id = t.zed_session_id
       where i.runner in (?, '') and t.status = 'wanted' and (t.next_attempt_at is null or t.next_attempt_at <= ?::timestamptz)
       order by t.created_at limit 100`,
      [runner, now.toISOString()],
    );
  }

  /** The threads of a bridge's editors that have a mapping, and of which something waits to be taken in. */
  mapped(runner: string): Promise<EditorThread[]> {
    return this.#em.execute<EditorThread[]>(
      `select ${COLUMNS} from editor_threads t join zed_instances i on i.id = t.zed_session_id
       join zed_thread_mappings m on m.zed_session_id = t.zed_session_id and m.zed_thread_id = t.zed_thread_id
       where i.runner = ? and t.status = 'created' limit 100`,
      [runner],
    );
  }

  /** Keeps an event; a newer one of the same key takes its place. Returns whether there was room. */
  async keep({ zedSessionId, zedThreadId }: EditorThreadKey, kept: KeptEvent, eventsMax: number): Promise<boolean> {
    const place = [zedSessionId, zedThreadId];
    const values = [...place, kept.key, JSON.stringify(kept.event), ...place, eventsMax];
    return (await this.#em.execute<unknown[]>(KEEP, values)).length > 0;
  }

  /** What was kept, in the order in which it was said. */
  kept({ zedSessionId, zedThreadId }: EditorThreadKey): Promise<KeptEvent[]> {
    return this.#em.execute<KeptEvent[]>(
      "select key, event from editor_thread_events where zed_session_id = ? and zed_thread_id = ? order by seq",
      [zedSessionId, zedThreadId],
    );
  }

  /** Forgets what was kept. */
  async forget({ zedSessionId, zedThreadId }: EditorThreadKey): Promise<void> {
    const key = [zedSessionId, zedThreadId];
    await this.#em.execute("delete from editor_thread_events where zed_session_id = ? and zed_thread_id = ?", key);
  }
}
