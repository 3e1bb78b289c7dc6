// A transaction that costs few round trips
//
//   begin, for whom it runs, first statement ▸ ◂ … ▸ ◂ last statements, commit ▸ ◂
//
// It begins with its first statement, in the same message, and what is known to be its last goes with the commit. One that
// writes without having read is a single round trip. Should one of the last statements fail, PostgreSQL carries out nothing
// after it: the commit that was sent along does not happen.

import type { Pool, PoolClient, QueryResult } from "pg";
import { sendTogether, type Statement } from "./send-together.ts";
import { settingOfLimit, type StatementLimit, type Statements } from "./statements.ts";
import { settingOfTenant } from "./tenant-scope.ts";

const BEGIN: Statement = { text: "begin", values: [] };
const COMMIT: Statement = { text: "commit", values: [] };

/** One transaction, for the tenant of `inTenant`. It takes a connection when it begins. */
export class Transaction implements Statements {
  readonly #pool: Pool;
  readonly #last: Statement[] = [];
  #client: Promise<PoolClient> | undefined;
  #hasBegun = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async run<Row extends object>(text: string, values: readonly unknown[], limit?: StatementLimit): Promise<Row[]> {
    const statement = { text, values };
    const limited = limit && [settingOfLimit(limit), statement, settingOfLimit({ msMax: 0 })];
    const results: { rows: Row[] }[] = await this.#send(limited ?? [statement]);
    return results.at(limited === undefined ? -1 : -2)?.rows ?? [];
  }

  /** Statements to be sent with the commit, in their order. */
  finishWith(statements: readonly Statement[]): void {
    this.#last.push(...statements);
  }

  /** Ends it for good. One that has done nothing costs nothing. */
  async commit(): Promise<void> {
    if (!this.#hasBegun && this.#last.length === 0) return;
    const committed = (await this.#send([...this.#last, COMMIT])).at(-1);
    // PostgreSQL answers so, and without an error, if an earlier one was caught by somebody.
    if (committed?.command !== "COMMIT") throw new Error("The transaction had failed before it was to be committed.");
    (await this.#client)?.release();
  }

  /** Undoes all of it and lets go of its connection; never rejects. */
  async rollBack(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    if (client === undefined) return;
    // A connection on which even this fails is of no use to anybody.
    const failed = await client.query("rollback").then(
      () => false,
      () => true,
    );
    client.release(failed);
  }

  async #send(statements: readonly Statement[]): Promise<QueryResult[]> {
    const client = await (this.#client ??= this.#pool.connect());
    const opening = this.#hasBegun ? [] : [BEGIN, settingOfTenant()];
    this.#hasBegun = true;
    return sendTogether(client, [...opening, ...statements]);
  }
}
