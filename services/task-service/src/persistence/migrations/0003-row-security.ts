import { sqlMigration, tenantCondition } from "@helix-zed/persistence";

/** The tables whose rows belong to a tenant. Whoever makes another one gives it a policy in the same migration. */
const tables = ["tasks", "sessions", "work_sessions", "request_ledger", "change_log"] as const;

/**
 * The second wall between tenants: rows can be seen and written only by transactions that run for their tenant, also where
 * the owner of the tables runs them. See `docs/decisions/0006-a-second-wall-between-tenants.md`.
 */
export const rowSecurity = sqlMigration("0003-row-security", tables.map(guard).join("\n"));

/** The statements that give a table with a column `tenant` its policy. */
export function guard(table: string): string {
  return `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy tenant on ${table} using (${tenantCondition});`;
}
