import { Client, escapeIdentifier } from "pg";

const CONNECT_TIMEOUT_MS = 10_000;

const DUPLICATE = new Set(["42P04", "23505"]);
const NO_SUCH_DATABASE = "3D000";

/** The URL of another database on the same server, with the same credentials and parameters. */
export function withDatabase(url: string, name: string): string {
  const target = new URL(url);
  target.pathname = `/${encodeURIComponent(name)}`;
  return target.href;
}

/**
 * Makes the database on the server if it is missing, and answers its URL. The server's URL may name a database, which
 * is then the one to connect to for making others; else that is `postgres`. Several callers may race. Every failure
 * is an Error whose message is one line and holds no password.
 */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const url = withDatabase(serverUrl, name);
  const failure = await connectionFailure(url);
  if (failure === undefined) return url;
  if (codeOf(failure) !== NO_SUCH_DATABASE) throw unreachable(url, failure);
  const maintenance = new URL(serverUrl).pathname.length > 1 ? serverUrl : withDatabase(serverUrl, "postgres");
  await createDatabase(maintenance, name).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  return url;
}

async function connectionFailure(url: string): Promise<unknown> {
  try {
    await withClient(url, (client) => client.query("select 1"));
    return undefined;
  } catch (error) {
    return error;
  }
}

async function createDatabase(maintenanceUrl: string, name: string): Promise<void> {
  await withClient(maintenanceUrl, async (client) => {
    await client.query(`create database ${escapeIdentifier(name)}`).catch((error: unknown) => {
      // Somebody else made it first: that is just as well.
      if (!DUPLICATE.has(codeOf(error))) throw error;
    });
  });
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function unreachable(url: string, error: unknown): Error {
  const { host, pathname } = new URL(url);
  return new Error(
    `The database ${pathname.slice(1)} at ${host || "the local socket"} cannot be used: ${reasonOf(error)}`,
  );
}

/** A connection that was tried at several addresses fails with several errors and no message of its own. */
function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : String(first);
  return (message || codeOf(first)).replaceAll(/\s*\n\s*/g, " ");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
