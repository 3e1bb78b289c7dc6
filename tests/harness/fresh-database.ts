import { withDatabase } from "@helix-zed/embedded-postgres";
import { randomUUID } from "node:crypto";
import { Client, escapeIdentifier } from "pg";
import { inject } from "vitest";
import { mustBeGoneAfterFile } from "./leaks.ts";

/** Brings the empty database at the URL to the current schema. */
export type Migrate = (url: string) => Promise<void>;

/**
 * The URL of a migrated database that is the caller's alone. The first caller for a service migrates a template,
 * everybody clones it. The database is dropped after the test file, and connections to it must be closed by then.
 */
export async function freshDatabase(service: string, migrate: Migrate): Promise<string> {
  const name = `test_${service.replaceAll("-", "_")}_${randomUUID().replaceAll("-", "")}`;
  await asAdministrator(async (client) => {
    const template = await migratedTemplate(client, service, migrate);
    await client.query(`create database ${escapeIdentifier(name)} template ${template} strategy file_copy`);
  });
  mustBeGoneAfterFile({ remains: () => connectionsTo(name), discard: () => drop(name) });
  return withDatabase(inject("postgresUrl"), name);
}

/** A database without any table, for services that migrate by themselves when they start. */
export function emptyDatabase(): Promise<string> {
  return freshDatabase("empty", () => Promise.resolve());
}

/** One caller makes the template, the others wait; a template that is half made by a killed caller is made anew. */
async function migratedTemplate(client: Client, service: string, migrate: Migrate): Promise<string> {
  const name = `template_${service.replaceAll("-", "_")}`;
  const template = escapeIdentifier(name);
  await client.query("select pg_advisory_lock(hashtext($1))", [name]);
  try {
    if (await isTemplate(client, name)) return template;
    await client.query(`drop database if exists ${template} with (force)`);
    await client.query(`create database ${template}`);
    await migrate(withDatabase(inject("postgresUrl"), name));
    await client.query(`alter database ${template} with is_template true allow_connections false`);
    return template;
  } finally {
    await client.query("select pg_advisory_unlock(hashtext($1))", [name]);
  }
}

async function isTemplate(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("select 1 from pg_database where datname = $1 and datistemplate", [name]);
  return rowCount === 1;
}

async function connectionsTo(name: string): Promise<string | undefined> {
  const { rows } = await asAdministrator((client) =>
    client.query<{ query: string }>("select left(query, 100) as query from pg_stat_activity where datname = $1", [
      name,
    ]),
  );
  if (rows.length === 0) return undefined;
  return `${rows.length} connection(s) to ${name}, one of them after "${rows.at(-1)?.query}"`;
}

async function drop(name: string): Promise<void> {
  await asAdministrator((client) => client.query(`drop database ${escapeIdentifier(name)} with (force)`));
}

async function asAdministrator<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: withDatabase(inject("postgresUrl"), "postgres") });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
