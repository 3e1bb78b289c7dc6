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
import type { PoolClient, QueryResult } from "pg";
import { appRoleOfSession } from "./app-role.ts";
import { isStalePlan } from "./database-errors.ts";
import { sendTogether, type Statement } from "./send-together.ts";

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

/** The statement that says for whom what follows runs, until the end of the transaction. It gives no row. */
export function settingOfTenant(): Statement {
  return { text: settingText, values: [scope.getStore() ?? ""] };
}

const settingText = `select where set_config('${tenantSetting}', $1, true) is null`;

/** Prepares a new connection of a pool: it gives up its user's rights, and sends the tenant with all it sends. */
export async function scopeConnection(client: PoolClient): Promise<void> {
  await client.query(`select set_config('role', ${appRoleOfSession}, false)`);
  const send = client.query.bind(client);
  const query = (text: unknown, ...rest: readonly unknown[]): unknown => {
    const [values] = rest;
    const isPlain = typeof text === "string" && (values === undefined || Array.isArray(values)) && rest.length < 2;
    if (!isPlain || client.getTransactionStatus() !== "I") return Reflect.apply(send, client, [text, ...rest]);
    return /^(begin|start transaction)\b/i.test(text)
      ? begin(client, send, text)
      : sendAlone(client, { text, values: values ?? [] });
  };
  Object.assign(client, { query });
}

type Send = PoolClient["query"];

/** The setting comes second: the isolation level can be chosen only before the first statement. */
async function begin(client: PoolClient, send: Send, text: string): Promise<QueryResult> {
  const tenant = client.escapeLiteral(scope.getStore() ?? "");
  const results: unknown = await send(`${text}; select set_config('${tenantSetting}', ${tenant}, true)`);
  return (Array.isArray(results) ? results : [])[0];
}

/** With the setting before it: the two are one transaction. */
async function sendAlone(client: PoolClient, statement: Statement): Promise<QueryResult | undefined> {
  try {
    return (await sendTogether(client, [settingOfTenant(), statement])).at(-1);
  } catch (error) {
    if (!isStalePlan(error)) throw error;
    return (await sendTogether(client, [settingOfTenant(), statement])).at(-1);
  }
}
