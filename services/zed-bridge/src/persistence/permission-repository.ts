import type { EntityManager } from "@mikro-orm/postgresql";
import { PermissionRequest } from "../domain/permission-request.ts";
import type { Turn } from "../domain/turn.ts";

/** What a new request begins with. */
export interface NewPermissionRequest extends Pick<
  PermissionRequest,
  "id" | "hostPermissionId" | "title" | "toolName" | "options" | "requestedAt" | "expiresAt"
> {
  readonly turn: Turn;
}

/** An answer that a host is to be given. */
export interface DueAnswer {
  readonly hostPermissionId: string;
  readonly optionId: string | null;
}

// A request is over with the attempt of the turn that asked it, so every question about open ones looks at the turn.
const ASKING = `t.status in ('sent', 'running', 'waiting') and t.attempt = r.attempt and t.sent_launch = r.launch`;

const CLAIM = `
update permission_requests r set sent_epoch = ?::int
from turns t join zed_thread_mappings m on m.id = t.mapping_id
where t.id = r.turn_id and m.zed_session_id = ? and r.answered_at is not null and r.resolved_at is null
  and r.sent_epoch <> ?::int and ${ASKING}
returning r.host_permission_id as "hostPermissionId", r.option_id as "optionId"`;

const EXPIRED = `
select r.id, r.mapping_id as "mappingId"
from permission_requests r
join turns t on t.id = r.turn_id
join zed_thread_mappings m on m.id = r.mapping_id
join zed_instances i on i.id = m.zed_session_id
where i.runner = ? and r.resolved_at is null and r.answered_at is null and r.expires_at <= ?::timestamptz and ${ASKING}
order by r.expires_at limit 1000`;

/** What agents ask to be allowed. Changed only under the lock of the thread's mapping. */
export class PermissionRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** A request of this thread. */
  find(mappingId: string, id: string): Promise<PermissionRequest | null> {
    return this.#em.findOne(PermissionRequest, { id, mappingId });
  }

  /** The same, by the host's own id. */
  findOfHost(mappingId: string, hostPermissionId: string): Promise<PermissionRequest | null> {
    return this.#em.findOne(PermissionRequest, { mappingId, hostPermissionId });
  }

  /** The thread of a request, if that is of this instance; without a lock. */
  async mappingOf(instanceId: string, hostPermissionId: string): Promise<string | null> {
    const rows = await this.#em.execute<{ id: string }[]>(
      `select m.id from permission_requests r join zed_thread_mappings m on m.id = r.mapping_id
       where m.zed_session_id = ? and r.host_permission_id = ?`,
      [instanceId, hostPermissionId],
    );
    return rows[0]?.id ?? null;
  }

  /** The requests of a turn's present attempt that the host has not seen the end of, oldest first. */
  async unresolved(turn: Turn): Promise<PermissionRequest[]> {
    const { id: turnId, attempt, sentLaunch: launch } = turn;
    if (!turn.inFlight) return [];
    const where = { turnId, attempt, launch, resolvedAt: null };
    return this.#em.find(PermissionRequest, where, { orderBy: { requestedAt: "asc", id: "asc" } });
  }

  /** The request of the turn's present attempt that ended last, if one has. */
  async lastResolved(turn: Turn): Promise<PermissionRequest | null> {
    const { id: turnId, attempt, sentLaunch: launch } = turn;
    const where = { turnId, attempt, launch, resolvedAt: { $ne: null } };
    return this.#em.findOne(PermissionRequest, where, { orderBy: { resolvedAt: "desc", id: "desc" } });
  }

  add({ turn, ...given }: NewPermissionRequest): PermissionRequest {
    return this.#em.create(PermissionRequest, {
      ...given,
      mappingId: turn.mappingId,
      turnId: turn.id,
      attempt: turn.attempt,
      launch: turn.sentLaunch,
      answeredAt: null,
      answeredBy: "",
      optionId: null,
      sentEpoch: 0,
      resolvedAt: null,
      outcome: "",
    });
  }

  /** The answers that are due on a link, each given out once. Under the lock of the instance. */
  claimAnswers({ instanceId, epoch }: { readonly instanceId: string; readonly epoch: number }): Promise<DueAnswer[]> {
    return this.#em.execute<DueAnswer[]>(CLAIM, [epoch, instanceId, epoch]);
  }

  /** The requests of a bridge that nobody has answered in time; without locks. */
  expired(runner: string, now: Date): Promise<{ readonly id: string; readonly mappingId: string }[]> {
    return this.#em.execute(EXPIRED, [runner, now.toISOString()]);
  }
}
