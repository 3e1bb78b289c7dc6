import type { PoolClient, QueryResult } from "pg";
import { isStalePlan } from "./database-errors.ts";
import { StatementNames } from "./statement-names.ts";

/** Lets a new connection of a pool prepare the statements that it is sent again and again. */
export function nameStatements(client: PoolClient): void {
  const names = StatementNames.of(client);
  const send = client.query.bind(client);
  const query = (...sent: readonly unknown[]): unknown => {
    const statement = withValues(sent);
    const name = statement === null ? undefined : names.nameOf(statement.text);
    if (statement === null || name === undefined) return Reflect.apply(send, client, sent);
    return sendNamed({ ...statement, name });
  };
  const sendNamed = async (statement: NamedStatement): Promise<QueryResult> => {
    const isAlone = client.getTransactionStatus() === "I";
    try {
      return await send(statement);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      names.forget();
      // Within a transaction it is too late: all of that is done again, see transact.ts.
      if (!isAlone) throw error;
      return send(statement.text, statement.values);
    }
  };
  Object.assign(client, { query });
}

interface NamedStatement {
  readonly name: string;
  readonly text: string;
  values: unknown[];
}

function withValues([text, values, ...rest]: readonly unknown[]): Omit<NamedStatement, "name"> | null {
  if (typeof text !== "string" || !Array.isArray(values) || values.length === 0 || rest.length > 0) return null;
  return { text, values: [...values] };
}
