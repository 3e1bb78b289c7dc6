// May this process use a schema that is newer than itself?
//
// While replicas are brought up to date one after another, older ones meet a schema that a newer one has migrated. Most
// migrations leave them at work: a new table, a new column with a default. One that does not is breaking, and says so
// where no process can overlook it, in its name: `0007-breaking-drop-runner-column`. The name is stored with the schema,
// in the same transaction, so a process that has never heard of the migration can still read it.

import type { Client } from "pg";
import { DatabaseStartError } from "./database-start-error.ts";

/** Whether processes that do not know the migration must not use the schema that it leaves. */
export function isBreaking(name: string): boolean {
  return /^\d+-breaking-/.test(name);
}

/** Refuses a schema that a newer version of the service has changed in a way that this one cannot work with. */
export async function refuseNewerSchema(client: Client, knownNames: readonly string[]): Promise<void> {
  const [unknown] = (await doneMigrations(client)).filter((name) => isBreaking(name) && !knownNames.includes(name));
  if (unknown === undefined) return;
  const message =
    `The database was migrated by a newer version of this service (${unknown}), ` +
    "and this version cannot work with it. Start the newer version.";
  throw new DatabaseStartError(message);
}

async function doneMigrations(client: Client): Promise<string[]> {
  const table = "mikro_orm_migrations";
  const { rows: tables } = await client.query("select where to_regclass($1) is not null", [table]);
  if (tables.length === 0) return [];
  const { rows } = await client.query<{ name: string }>(`select name from ${table} order by id`);
  return rows.map(({ name }) => name);
}
