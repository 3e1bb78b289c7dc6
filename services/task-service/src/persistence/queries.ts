import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import type { Statements } from "@helix-zed/persistence";
import type { Tables } from "./rows.ts";

/** Builds queries, and runs none: `runQuery` does. */
export const queries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** Runs a query that was built, and gives its rows. */
export function runQuery<Row extends object>(
  statements: Statements,
  query: { compile: () => CompiledQuery<Row> },
): Promise<Row[]> {
  const { sql, parameters } = query.compile();
  return statements.run<Row>(sql, parameters);
}
