// Calls that may be repeated
//
// A create with a request id leaves a row here, in its own transaction. The row is inserted first, so a second call with
// the same id waits until the first has committed (then it finds the answer) or failed (then it is the first). The answer
// is kept as it was given: the second caller sees it even if the resource has changed or is gone by now. An id is its
// tenant's own, and one of another method is one of another call. What is refused leaves no row.

import { hashPayload, type Statement, type Statements } from "@helix-zed/persistence";
import { refuse } from "../domain/reason.ts";

/** A call that its caller may repeat. */
export interface RepeatableRequest {
  readonly tenant: string;
  /** A UUID; `null` where the caller gave none. */
  readonly requestId: string | null;
  readonly method: string;
  /** Everything that the caller asked for, as JSON. */
  readonly payload: unknown;
}

/** The tables whose rows are kept as answers. */
export type AnswerTable = "tasks" | "work_sessions";

/** What was answered to calls with a request id. */
export class RequestLedger {
  readonly #statements: Statements;
  readonly #kept: Statement[] = [];

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The row that was the answer to the same call before, or `null` if this is the first. Refuses a reused id. */
  async recall<Row>({ tenant, requestId, method, payload }: RepeatableRequest): Promise<Row | null> {
    if (requestId === null) return null;
    const hash = hashPayload([method, payload]);
    const inserted = await this.#statements.run(
      "insert into request_ledger (tenant, request_id, payload_hash) values ($1, $2, $3) on conflict do nothing returning 1",
      [tenant, requestId, hash],
    );
    if (inserted.length > 0) return null;
    const [earlier] = await this.#statements.run<{ payload_hash: string; answer: Row }>(
      "select payload_hash, answer from request_ledger where tenant = $1 and request_id = $2",
      [tenant, requestId],
    );
    if (earlier?.payload_hash === hash) return earlier.answer;
    throw refuse("REQUEST_ID_REUSED", "This request_id was used for another request.", { request_id: requestId });
  }

  /** Drops answers that are older than an age by the database's clock, oldest first, and says how many. */
  async forget({ ageMs, limit }: { readonly ageMs: number; readonly limit: number }): Promise<number> {
    const dropped = await this.#statements.run(
      `delete from request_ledger where (tenant, request_id) in (
         select tenant, request_id from request_ledger
         where created_at < clock_timestamp() - make_interval(secs => $1)
         order by created_at limit $2 for update skip locked
       ) returning 1`,
      [ageMs / 1_000, limit],
    );
    return dropped.length;
  }

  /** Keeps the row of what was created as the answer, once it is written. */
  keep({ tenant, requestId }: RepeatableRequest, { table, id }: { table: AnswerTable; id: string }): void {
    if (requestId === null) return;
    const text = `update request_ledger set answer = (select to_jsonb(r) from ${table} r where r.id = $1)
       where tenant = $2 and request_id = $3`;
    this.#kept.push({ text, values: [id, tenant, requestId] });
  }

  /** The statements that keep the answers, to be run after what they are of was written. */
  keeping(): readonly Statement[] {
    return this.#kept;
  }
}
