// May this process use a schema that is newer than itself?
//
// While replicas are brought up to date one after another, older ones meet a schema that a newer one has migrated. Most
// migrations leave them at work: a new table, a new column with a default. One that does not is breaking, and says so
// where no process can overlook it, in its name: `0007-breaking-drop-runner-column`. The name is stored with the schema,
// in the same transaction, so a process that has never heard of the migration can still read it.
//
// A process asks before it migrates, and from then on with each look at the health of its database: one that is running
// while a newer version breaks the schema stops being healthy within seconds, and gets no more work from those who heed it.

import type { Client } from "pg";
import { DatabaseStartError } from "./database-start-error.ts";

/** Asks a database, with a statement that has no parameters. */
export type Ask = <Row extends object>(statement: string) => Promise<readonly Row[]>;

const TABLE = "mikro_orm_migrations";

/** Refuses a schema that a newer version of the service has changed in a way that this one cannot work with. */
export async function refuseNewerSchema(client: Client, knownNames: readonly string[]): Promise<void> {
  const ask: Ask = async <Row extends object>(statement: string) => (await client.query<Row>(statement)).rows;
  const [table] = await ask<{ exists: boolean }>(`select to_regclass('${TABLE}') is not null as exists`);
  if (table?.exists === true) await refuseBrokenSchema(ask, knownNames);
}

/** The same, for a database that was migrated before: one cheap statement. */
export async function refuseBrokenSchema(ask: Ask, knownNames: readonly string[]): Promise<void> {
  const breaking = await ask<{ name: string }>(
    `select name from ${TABLE} where name ~ '^[0-9]+-breaking-' order by id`,
  );
  const unknown = breaking.find(({ name }) => !knownNames.includes(name));
  if (unknown === undefined) return;
  const message =
    `The database was migrated by a newer version of this service (${unknown.name}), ` +
    "and this version cannot work with it. Start the newer version.";
  throw new DatabaseStartError(message);
}
