import type { MikroORM } from "@mikro-orm/postgresql";
import type { Pool } from "pg";

/**
 * Something that runs statements with parameters `$1`, `$2` …, and gives their rows: a transaction, or the pool, which runs
 * each on its own.
 *
 * For what is read and written most. Beside the ORM's own statements, which have values in their text, it saves the
 * building of the statement, and PostgreSQL the parsing and planning: the text is always the same, so it is prepared (see
 * statement-names.ts).
 */
export interface Statements {
  run<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]>;
}

/** Runs each statement on its own, on whatever connection is free. */
export function statementsOf(orm: MikroORM): Statements {
  return {
    run: async <Row extends object>(text: string, values: readonly unknown[]) => {
      const pool = await poolOf(orm);
      const client = await pool.connect();
      try {
        return (await client.query<Row>(text, [...values])).rows;
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
