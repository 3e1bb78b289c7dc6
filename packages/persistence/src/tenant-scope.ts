// Tenants, as the database sees them
//
// Row-level security is the second wall between tenants: policies compare the tenant of each row with the setting
// `helix_zed.tenant`. The first wall are repositories that are born with an actor; a statement that gets around them sees
// no more than the tenant that it runs for, and one that runs for nobody sees nothing.
//
//   inTenant("acme", work)   what `work` sends to the database runs for acme
//   inTenant(null, work)     … for all tenants: to be said by runners' views and by the service's own jobs, never implied
//
// The setting is local to a transaction and travels with its beginning: it costs no round trip, and nothing of it is left
// on a connection that goes back to the pool. A single statement without a transaction of its own is sent in one pipeline
// with the setting, which PostgreSQL runs as one transaction.
//
// A policy can keep only those from rows that are subject to it, which superusers and (without FORCE) owners are not. So
// each connection of the pool works as a role that owns nothing: `<user of the URL>_app`, see app-role.ts.

import { AsyncLocalStorage } from "node:async_hooks";
import pg, { type Connection, type PoolClient, type QueryResult } from "pg";
import { appRoleOfSession } from "./app-role.ts";
import { isStalePlan } from "./database-errors.ts";
import type { StatementNames } from "./statement-names.ts";

/** The setting that policies read. */
export const tenantSetting = "helix_zed.tenant";

/** Its value for all tenants. It has a space in it, which ids of users and organizations cannot have. */
export const allTenants = "all tenants";

const scope = new AsyncLocalStorage<string>();

/** Lets `work` see the rows of one tenant or, for `null`, of all. What it begins without waiting for sees the same. */
export function inTenant<T>(tenant: string | null, work: () => T): T {
  if (tenant === "" || tenant === allTenants) throw new Error(`There is no tenant "${tenant}".`);
  return scope.run(tenant ?? allTenants, work);
}

/**
 * The condition that the policies of a table with a column `tenant` are made of. Written as a case, because of that the
 * planner expects that every other row fulfils it; of a comparison with a setting it expects one in a hundred, and then
 * reads and sorts all that a filter finds for a page of fifty.
 */
export const tenantCondition = `case current_setting('${tenantSetting}', true) when tenant then true when '${allTenants}' then true else false end`;

const PRELUDE = "tenant";
const preludeText = `select where set_config('${tenantSetting}', $1, true) is null`;

/** Prepares a new connection of a pool: it gives up its user's rights, and sends the tenant with all it sends. */
export async function scopeConnection(client: PoolClient, names: StatementNames): Promise<void> {
  await client.query(`select set_config('role', ${appRoleOfSession}, false)`);
  await client.query({ name: PRELUDE, text: preludeText, values: [""] });
  const send = client.query.bind(client);
  const query = (text: unknown, ...rest: readonly unknown[]): unknown => {
    const [values] = rest;
    const isPlain = typeof text === "string" && (values === undefined || Array.isArray(values)) && rest.length < 2;
    if (!isPlain || client.getTransactionStatus() !== "I") return Reflect.apply(send, client, [text, ...rest]);
    const tenant = scope.getStore() ?? "";
    return /^(begin|start transaction)\b/i.test(text)
      ? begin(client, send, { text, tenant })
      : sendAlone(send, { text, values: values ?? [], tenant }, names);
  };
  Object.assign(client, { query });
}

type Send = PoolClient["query"];

/** The setting comes second: the isolation level can be chosen only before the first statement. */
async function begin(client: PoolClient, send: Send, { text, tenant }: { text: string; tenant: string }) {
  const setting = `select set_config('${tenantSetting}', ${client.escapeLiteral(tenant)}, true)`;
  return firstOf(await send(`${text}; ${setting}`));
}

interface Statement {
  readonly name?: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly tenant: string;
}

async function sendAlone(send: Send, statement: Statement, names: StatementNames): Promise<QueryResult> {
  const name = statement.values.length === 0 ? undefined : names.nameOf(statement.text);
  try {
    return await sendInPipeline(send, { ...statement, name });
  } catch (error) {
    if (!isStalePlan(error)) throw error;
    names.forget();
    return sendInPipeline(send, statement);
  }
}

/** One statement, after the setting and before the one sync that ends the transaction of both. */
function sendInPipeline(send: Send, { name, text, values, tenant }: Statement): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const config = { ...(name !== undefined && { name }), text, values: [...values], queryMode: "extended" };
    const query = new pg.Query(config, (error: Error | null | undefined, results: unknown) => {
      if (error) reject(error);
      else resolve(lastOf(results));
    });
    const submit = query.submit.bind(query);
    query.submit = (connection: Connection) => {
      connection.stream.cork();
      connection.bind({ statement: PRELUDE, values: [tenant] }, true);
      connection.execute({}, true);
      const refusal = submit(connection);
      connection.stream.uncork();
      return refusal;
    };
    send(query);
  });
}

// The driver gives a list where one query brought several results.
function firstOf(results: unknown): QueryResult {
  return resultsIn(results).at(0) ?? noResult();
}

function lastOf(results: unknown): QueryResult {
  return resultsIn(results).at(-1) ?? noResult();
}

function resultsIn(results: unknown): readonly QueryResult[] {
  return Array.isArray(results) ? results : [];
}

function noResult(): never {
  throw new Error("The driver gave no list of results.");
}
