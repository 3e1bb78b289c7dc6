import type { MikroORM } from "@mikro-orm/postgresql";
import type { Pool } from "pg";
import { sendTogether, type Statement } from "./send-together.ts";
import { settingOfTenant } from "./tenant-scope.ts";

/**
 * Something that runs statements with parameters `$1`, `$2` …, and gives their rows: a transaction, or the pool, which runs
 * each on its own.
 *
 * For what is read and written most. Beside the ORM's own statements, which have values in their text, it saves the
 * building of the statement, and PostgreSQL the parsing and planning: the text is always the same, so it is prepared (see
 * statement-names.ts).
 */
export interface Statements {
  run<Row extends object>(text: string, values: readonly unknown[], limit?: StatementLimit): Promise<Row[]>;
}

/** How long a statement may take; PostgreSQL cancels it then, see `isTooSlow`. */
export interface StatementLimit {
  readonly msMax: number;
}

/**
 * Limits what is sent after it, until the end of the transaction. It gives no row.
 *
 * What has to be limited depends on its values, so it is planned for them each time. PostgreSQL would else settle for one plan
 * for all after a while: the one that suits a status that many have reads the whole table for one that few have.
 */
export function settingOfLimit({ msMax }: StatementLimit): Statement {
  return { text: limitText, values: [String(msMax)] };
}

const limitText = `select where set_config('statement_timeout', $1, true) is null
  or set_config('plan_cache_mode', 'force_custom_plan', true) is null`;

/** Runs each statement on its own, on whatever connection is free. */
export function statementsOf(orm: MikroORM): Statements {
  return {
    run: async <Row extends object>(text: string, values: readonly unknown[], limit?: StatementLimit) => {
      const pool = await poolOf(orm);
      const client = await pool.connect();
      try {
        if (limit === undefined) return (await client.query<Row>(text, [...values])).rows;
        const results: { rows: Row[] }[] = await sendTogether(client, [
          settingOfTenant(),
          settingOfLimit(limit),
          { text, values },
        ]);
        return results.at(-1)?.rows ?? [];
      } finally {
        client.release();
      }
    },
  };
}

/** The connections below the ORM. */
export function poolOf(orm: MikroORM): Promise<Pool> {
  return orm.em.getConnection().getNativeClient();
}
