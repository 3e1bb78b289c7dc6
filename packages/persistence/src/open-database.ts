import { MikroORM, type Options } from "@mikro-orm/postgresql";
import { Migrator } from "@mikro-orm/migrations";
import type { Pool, PoolClient } from "pg";
import { cutSilentConnections } from "./cut-silent-connections.ts";
import { unusable } from "./database-start-error.ts";
import { nameStatements } from "./name-statements.ts";
import { releaseDeadConnections } from "./release-dead-connections.ts";
import { scopeConnection } from "./tenant-scope.ts";

/** Which database, and how to use it. */
export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/name` */
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly entities: NonNullable<Options["entities"]>;
  /** The most connections to hold open, 16 unless told otherwise. */
  readonly connectionsMax?: number;
  /** Whether rows are guarded by policies: everything then runs for a tenant, see `inTenant`, and without its user's rights. */
  readonly rowSecurity?: boolean;
  /** How long a connection may owe an answer without a word before it counts as lost, 15 s unless told otherwise. */
  readonly silenceMsMax?: number;
  /** Hears of connections that broke; the pool replaces them by itself. */
  readonly warn?: (message: string) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** No statement of ours takes so long. */
const SILENCE_MS_MAX = 15_000;
/** A transaction that does nothing for so long has lost its process: its locks are let go. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

/** Connects, and proves it with a query. No query is logged and nothing is ever printed: warnings go to `warn`. */
export async function openDatabase(options: DatabaseOptions): Promise<MikroORM> {
  const orm = await initialise(options);
  try {
    await orm.em.fork().execute("select 1");
    return orm;
  } catch (error) {
    await orm.close(true);
    throw unusable(options.url, error);
  }
}

async function initialise(options: DatabaseOptions) {
  const { url, applicationName, entities, connectionsMax = 16, rowSecurity = false, warn } = options;
  const { silenceMsMax = SILENCE_MS_MAX } = options;
  try {
    return await MikroORM.init({
      clientUrl: url,
      entities,
      pool: { min: 0, max: connectionsMax },
      driverOptions: {
        application_name: applicationName,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
        keepAlive: true,
        onPoolCreated: (pool: Pool) => {
          releaseDeadConnections(pool);
          cutSilentConnections(pool, { silenceMsMax });
          pool.on("error", (error) => warn?.(`A connection to the database broke: ${error.message}`));
        },
        onConnect: (client: PoolClient) => prepareConnection(client, rowSecurity),
      },
      extensions: [Migrator],
      logger: (message) => warn?.(message),
      colors: false,
      ensureDatabase: false,
      discovery: { warnWhenNoEntities: false },
    });
  } catch (error) {
    throw unusable(url, error);
  }
}

async function prepareConnection(client: PoolClient, rowSecurity: boolean): Promise<void> {
  nameStatements(client);
  if (rowSecurity) await scopeConnection(client);
}
