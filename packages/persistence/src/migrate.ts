// Migrations
//
// A migration is a name and a piece of SQL. Those that are missing run in the order of the list, in one transaction; there
// is no way back. Processes that start together wait for one another: all of it happens under an advisory lock of
// the database, taken by a connection that does nothing else, so that a process that dies lets go of it. A process that is
// older than the schema starts nevertheless, unless a migration that it does not know is breaking (refuse-newer-schema.ts).

import { Migration } from "@mikro-orm/migrations";
import { type Configuration, MikroORM } from "@mikro-orm/postgresql";
import { Migrator } from "@mikro-orm/migrations";
import { Client, type PoolClient } from "pg";
import { provideAppRole } from "./app-role.ts";
import { DatabaseStartError, unusable } from "./database-start-error.ts";
import { refuseNewerSchema } from "./refuse-newer-schema.ts";
import { allTenants, tenantSetting } from "./tenant-scope.ts";

/** One step of a schema's history. */
export interface NamedMigration {
  readonly name: string;
  readonly class: new (driver: ConstructorParameters<typeof Migration>[0], config: Configuration) => Migration;
}

/** Which database to bring up to date, and with what. */
export interface MigrateOptions {
  readonly url: string;
  readonly applicationName: string;
  /** All migrations there have ever been, oldest first. */
  readonly migrations: readonly NamedMigration[];
  /** Whether rows are guarded by policies: the service's role is provided, and migrations act for all tenants. */
  readonly rowSecurity?: boolean;
}

/** One for all of our services: two that share a database by mistake do not disturb each other. */
const LOCK_KEY = 4_841_520_001;

/** A migration that is made of SQL alone; `0007-breaking-…` if processes that do not know it must not run after it. */
export function sqlMigration(name: string, sql: string): NamedMigration {
  return {
    name,
    class: class extends Migration {
      override up(): void {
        this.addSql(sql);
      }
    },
  };
}

/** Brings the database up to date and gives the names of the migrations that were missing. Safe to run at the same time. */
export async function migrate({ rowSecurity = false, ...options }: MigrateOptions): Promise<string[]> {
  const { url, applicationName, migrations } = options;
  const names = migrations.map(({ name }) => name);
  return underLock(options, async (client) => {
    await refuseNewerSchema(client, names);
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [],
      pool: { min: 0, max: 2 },
      driverOptions: { application_name: applicationName, ...(rowSecurity ? { onConnect: actForAllTenants } : {}) },
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], snapshot: false, silent: true },
      logger: () => {},
      ensureDatabase: false,
      discovery: { warnWhenNoEntities: false },
    });
    try {
      const done = (await orm.migrator.up()).map(({ name }) => name);
      if (rowSecurity) await provideAppRole(client);
      return done;
    } finally {
      await orm.close(true);
    }
  });
}

/** Policies bind the owner of a table too. */
async function actForAllTenants(client: PoolClient): Promise<void> {
  await client.query("select set_config($1, $2, false)", [tenantSetting, allTenants]);
}

async function underLock<T>(
  { url, applicationName }: Pick<MigrateOptions, "url" | "applicationName">,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: url, application_name: applicationName });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
    return await work(client);
  } catch (error) {
    throw error instanceof DatabaseStartError ? error : unusable(url, error);
  } finally {
    await client.end();
  }
}
