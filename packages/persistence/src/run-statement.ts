import type { EntityManager } from "@mikro-orm/postgresql";
import { CompiledQuery } from "kysely";

/**
 * Runs a statement with parameters `$1`, `$2` …, and gives its rows: in the transaction of the unit of work if there is
 * one, else on its own, straight from the pool.
 *
 * For what is read and written most. Beside the unit of work, which writes values into the text of each statement, it
 * saves the building of the statement, and PostgreSQL the parsing and planning: its text is always the same, so it is
 * prepared (see statement-names.ts).
 */
export async function runStatement<Row extends object>(
  em: EntityManager,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  if (em.isInTransaction()) return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
  const pool = await em.getConnection().getNativeClient();
  const client = await pool.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    client.release();
  }
}
