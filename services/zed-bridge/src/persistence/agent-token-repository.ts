import type { EntityManager } from "@mikro-orm/postgresql";

/** A token for an agent, as it is kept: by its hash. */
export interface NewAgentToken {
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  readonly instanceId: string;
  /** Whose agent it is for; `null`: all agents of the editor. */
  readonly mappingId: string | null;
  /** The launch and the connection in which it was given out. */
  readonly launch: number;
  readonly epoch: number;
  readonly now: Date;
}

/** A token that is there, and the instance that it was given out to, as it is now. */
export interface KnownAgentToken {
  readonly hash: string;
  readonly mappingId: string | null;
  readonly instanceId: string;
  readonly taskId: string;
  readonly userId: string;
  /** Empty for a user's own. */
  readonly organizationId: string;
}

/** A thread in which an agent may be at work. */
export interface LiveThread {
  readonly mappingId: string;
  readonly workSessionId: string;
  /** The turn that the agent has; `null` if it has none. */
  readonly turnId: string | null;
}

const INSERT = `
insert into agent_tokens (hash, instance_id, mapping_id, launch, epoch, created_at)
values (?, ?, ?, ?, ?, ?)`;

// A token is good in the launch that it was given out in, and no longer than the editor's own.
const FIND = `
select t.hash, t.mapping_id as "mappingId", i.id as "instanceId", i.task_id as "taskId", i.user_id as "userId",
  i.organization_id as "organizationId"
from agent_tokens t
join zed_instances i on i.id = t.instance_id
where t.hash = ? and t.launch = i.launch_count and i.desired = 'running'
  and i.token_hash is not null and not i.token_revoked`;

const LIVE = `
select m.id as "mappingId", m.work_session_id as "workSessionId", t.id as "turnId"
from zed_thread_mappings m
left join turns t on t.mapping_id = m.id and t.status in ('sent', 'running', 'waiting')
where m.zed_session_id = ? and (?::text is null or m.id = ?) and m.status not in ('completed', 'failed')
  and m.deleted_at is null
order by m.id`;

const HELD = `
select 1 from agent_tokens where mapping_id = ? and launch = ? and epoch <= ? limit 1`;

/** The tokens with which agents call us. */
export class AgentTokenRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Keeps a token's hash, and forgets those of the same holder from earlier launches. */
  async add({ hash, instanceId, mappingId, launch, epoch, now }: NewAgentToken): Promise<void> {
    await this.#em.execute(
      "delete from agent_tokens where instance_id = ? and mapping_id is not distinct from ?::text and launch < ?",
      [instanceId, mappingId, launch],
    );
    await this.#em.execute(INSERT, [hash, instanceId, mappingId, launch, epoch, now.toISOString()]);
  }

  /** The token of this hash while the editor that it was given out to lives. */
  async find(hash: string): Promise<KnownAgentToken | null> {
    const rows = await this.#em.execute<KnownAgentToken[]>(FIND, [hash]);
    return rows[0] ?? null;
  }

  /** Whether the thread has shown, in this launch, that it is alive since it was given a token. */
  async isHeld({ mappingId, launch, epoch }: Pick<NewAgentToken, "mappingId" | "launch" | "epoch">): Promise<boolean> {
    const rows = await this.#em.execute<unknown[]>(HELD, [mappingId, launch, epoch]);
    return rows.length > 0;
  }

  /** The threads of an instance that have not ended; or one of them. */
  liveThreads(instanceId: string, mappingId: string | null): Promise<LiveThread[]> {
    return this.#em.execute<LiveThread[]>(LIVE, [instanceId, mappingId, mappingId]);
  }

  /** Forgets the tokens of a thread. */
  async revokeOf(mappingId: string): Promise<void> {
    await this.#em.execute("delete from agent_tokens where mapping_id = ?", [mappingId]);
  }
}
