import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import { isTooSlow, type Statements } from "@helix-zed/persistence";
import { refuse } from "../domain/reason.ts";
import type { PageQuery } from "./page-query.ts";
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

/** The same for a page of a list. Refuses when it takes too long. */
export async function runPage<Row extends object>(
  statements: Statements,
  query: { compile: () => CompiledQuery<Row> },
  { msMax }: PageQuery,
): Promise<Row[]> {
  const { sql, parameters } = query.compile();
  try {
    return await statements.run<Row>(sql, parameters, { msMax });
  } catch (error) {
    throw isTooSlow(error) ? tooSlow(msMax) : error;
  }
}

function tooSlow(msMax: number): Error {
  const message =
    `The page was not found within ${msMax / 1_000} s. ` +
    "Let the filter name a status, or sort by one field that the filter narrows down.";
  return refuse(
    "PAGE_TOO_SLOW",
    message,
    { limit_ms: String(msMax) },
    { quota: { subject: "page", description: message } },
  );
}
