import { realpathSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Cluster } from "./cluster.ts";
import { isServerAlive, readPostmaster, type Postmaster } from "./postmaster-file.ts";

const POLL_MS = 20;
const CONNECT_TIMEOUT_MS = 2_000;
const CHANGE_TIMEOUT_MS = 30_000;

/**
 * The server that runs this cluster already, left behind by a process that was killed. A server that is starting or
 * stopping is waited for. That something answers at the port says nothing: the file may be years old and the port
 * another server's, so the server itself is asked for its data folder.
 */
export async function findRunningServer(
  cluster: Cluster,
  urlOf: (port: number) => string,
): Promise<Postmaster | undefined> {
  for (let waitedMs = 0; waitedMs < CHANGE_TIMEOUT_MS; waitedMs += POLL_MS) {
    const postmaster = readPostmaster(cluster.dataFolder);
    if (postmaster === undefined || !isServerAlive(postmaster.pid)) return undefined;
    if (postmaster.status === "ready") return (await runs(cluster, urlOf(postmaster.port))) ? postmaster : undefined;
    await delay(POLL_MS);
  }
  throw new Error(`A PostgreSQL in ${cluster.dataFolder} has been starting or stopping for too long.`);
}

/** Asks the server at the URL whether its data folder is the cluster's. */
async function runs(cluster: Cluster, url: string): Promise<boolean> {
  const client = new Client({
    connectionString: `${url}/postgres`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>("show data_directory");
    return rows[0] !== undefined && realpathSync(rows[0].data_directory) === realpathSync(cluster.dataFolder);
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
