// Several statements, one round trip
//
//   alone       a ▸ ◂ b ▸ ◂ c ▸ ◂
//   together    a b c ▸ ◂
//
// A round trip wakes two processes and may cost more than the statement that it carries. So statements that need nothing
// of each other's answers are sent in one message with one sync at its end: PostgreSQL carries them out in their order, and
// those after one that failed not at all. Without a `begin` among them they are one transaction.
//
// Each is prepared if it comes often (statement-names.ts). The driver keeps account of what it has prepared for one
// statement at a time; here that is done for all of them, in the driver's own books.

import pg, { type Connection, type PoolClient, type QueryResult } from "pg";
import { isStalePlan } from "./database-errors.ts";
import { StatementNames } from "./statement-names.ts";

/** A statement, and its parameters `$1`, `$2` …: text, numbers, truth values, times or null. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface NamedStatement extends Statement {
  readonly name: string | undefined;
}

/** Sends statements on a connection that is the caller's alone, and gives the result of each. */
export async function sendTogether(client: PoolClient, statements: readonly Statement[]): Promise<QueryResult[]> {
  const names = StatementNames.of(client);
  const named = statements.map((statement) => ({ ...statement, name: names.nameOf(statement.text) }));
  try {
    return await send(client, named);
  } catch (error) {
    if (isStalePlan(error)) names.forget();
    // How far PostgreSQL came is not known.
    else for (const statement of named) if (!isPrepared(client, statement)) names.drop(statement.text);
    throw error;
  }
}

function send(client: PoolClient, statements: readonly NamedStatement[]): Promise<QueryResult[]> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(
      { text: "", values: [] },
      (error: Error | null | undefined, results: QueryResult | QueryResult[]) => {
        if (error) return reject(error);
        for (const statement of statements) markPrepared(client, statement);
        // The driver gives a list where there is more than one.
        resolve(Array.isArray(results) ? results : [results]);
      },
    );
    query.submit = (connection: Connection) => {
      connection.stream.cork();
      for (const statement of statements) write(connection, statement, isPrepared(client, statement));
      connection.sync();
      connection.stream.uncork();
      return null;
    };
    client.query(query);
  });
}

function write(connection: Connection, { name = "", text, values }: NamedStatement, isKnown: boolean): void {
  if (!isKnown) connection.parse({ name, text, types: [] }, true);
  connection.bind({ statement: name, values: values.map(asText) }, true);
  connection.describe({ type: "P", name: "" }, true);
  connection.execute({}, true);
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return value.toISOString();
  throw new Error("A parameter is text, a number, a truth value, a time or null; anything else is passed as JSON.");
}

function isPrepared(client: PoolClient, { name }: NamedStatement): boolean {
  return name !== undefined && Reflect.has(preparedOf(client), name);
}

function markPrepared(client: PoolClient, { name, text }: NamedStatement): void {
  if (name !== undefined) Reflect.set(preparedOf(client), name, text);
}

/** The driver's own account, which its types do not tell: texts by their names. */
function preparedOf(client: PoolClient): object {
  const connection: unknown = Reflect.get(client, "connection");
  const prepared: unknown = typeof connection === "object" && connection && Reflect.get(connection, "parsedStatements");
  if (typeof prepared !== "object" || prepared === null) throw new Error("The driver keeps no account of statements.");
  return prepared;
}
