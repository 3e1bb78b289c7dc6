import { type Actor, tenantOf } from "@helix-zed/domain";
import type { Statements } from "@helix-zed/persistence";

/** A lease as its holder knows it. */
export interface HeldLease {
  readonly workSessionId: string;
  readonly epoch: number;
}

/** Which leases to prolong, and for how long. */
export interface Renewal {
  readonly runner: string;
  readonly leases: readonly HeldLease[];
  readonly leaseMs: number;
}

/** What became of them; until when is by the database's clock. */
export interface Renewed {
  readonly renewedIds: readonly string[];
  readonly expiresAt: Date;
}

/** A lease that has run out. */
export interface ExpiredLease {
  readonly workSessionId: string;
  readonly taskId: string;
}

const renewLeases = `
  with held as (
    select w.id from work_sessions w
    join jsonb_to_recordset($1::jsonb) as h (id text, epoch bigint) on h.id = w.id and h.epoch = w.lease_epoch
    where w.runner = $2 and ($3::text is null or w.tenant = $3)
    order by w.id for update of w
  ), term as (
    select clock_timestamp() + make_interval(secs => $4) as expires_at, count(*) from held
  ), renewed as (
    update work_sessions w set lease_expires_at = term.expires_at from held, term where w.id = held.id returning w.id
  )
  select to_json(expires_at) #>> '{}' as expires_at, array(select id from renewed) as ids from term`;

/** The leases on work sessions, and the one clock that they run by: the database's. */
export class LeaseTable {
  readonly #statements: Statements;
  readonly #tenant: string | null;

  constructor(statements: Statements, actor: Actor) {
    this.#statements = statements;
    this.#tenant = tenantOf(actor);
  }

  /**
   * Prolongs any number of leases in one statement. No change of the session: its version stays, nothing is logged.
   * A lease that has run out but that nobody took is prolonged too. Rows are locked in the order of their ids, so that two
   * renewals cannot wait for each other.
   */
  async renew({ runner, leases, leaseMs }: Renewal): Promise<Renewed> {
    const rows = await this.#statements.run<{ expires_at: string; ids: string[] }>(renewLeases, [
      JSON.stringify(leases.map(({ workSessionId: id, epoch }) => ({ id, epoch }))),
      runner,
      this.#tenant,
      leaseMs / 1_000,
    ]);
    return { renewedIds: rows[0]?.ids ?? [], expiresAt: new Date(rows[0]?.expires_at ?? "") };
  }

  /** Some of the leases that have run out, longest ago first. */
  async expired(limit: number): Promise<ExpiredLease[]> {
    const rows = await this.#statements.run<{ id: string; task_id: string }>(
      `select id, task_id from work_sessions where runner is not null and lease_expires_at < clock_timestamp()
       order by lease_expires_at limit $1`,
      [limit],
    );
    return rows.map(({ id, task_id }) => ({ workSessionId: id, taskId: task_id }));
  }
}
