import type { EntityManager } from "@mikro-orm/postgresql";

/** How an agent says that its session has gone. */
export interface AgentReport {
  readonly outcome: "completed" | "failed";
  /** What came of it, or why nothing did. */
  readonly summary: string;
}

const PUT = `
insert into agent_reports (mapping_id, outcome, summary, reported_at)
values (?, ?, ?, ?)
on conflict (mapping_id) do update
set outcome = excluded.outcome, summary = excluded.summary, reported_at = excluded.reported_at`;

const OVERDUE = `
select r.mapping_id as id
from agent_reports r
join zed_thread_mappings m on m.id = r.mapping_id
join zed_instances i on i.id = m.zed_session_id
where i.runner = ? and m.status not in ('completed', 'failed') and r.reported_at <= ?::timestamptz
order by r.mapping_id`;

/** What agents have reported about their sessions. */
export class AgentReportRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Keeps a report in place of an earlier one. */
  async put(mappingId: string, { outcome, summary }: AgentReport, now: Date): Promise<void> {
    await this.#em.execute(PUT, [mappingId, outcome, summary, now.toISOString()]);
  }

  /** What the agent of a thread has reported. */
  async find(mappingId: string): Promise<AgentReport | null> {
    const rows = await this.#em.execute<AgentReport[]>(
      "select outcome, summary from agent_reports where mapping_id = ?",
      [mappingId],
    );
    return rows[0] ?? null;
  }

  /** The threads of a bridge that live although their agents reported by then. */
  async overdue(runner: string, reportedBy: Date): Promise<string[]> {
    const rows = await this.#em.execute<{ id: string }[]>(OVERDUE, [runner, reportedBy.toISOString()]);
    return rows.map(({ id }) => id);
  }
}
