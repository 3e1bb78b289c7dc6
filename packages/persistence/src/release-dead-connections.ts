import type { Pool, PoolClient } from "pg";

/**
 * Gives the places of connections that died in somebody's hands back to the pool at once.
 *
 * The query builder below the ORM releases a connection after its COMMIT or ROLLBACK has succeeded, and on a dead
 * connection neither does: each restart of the database would cost as many places as there were transactions, until none
 * is left and every call waits in vain.
 */
export function releaseDeadConnections(pool: Pool): void {
  const inUse = new Set<PoolClient>();
  pool.on("acquire", (client) => void inUse.add(client));
  pool.on("release", (_error, client) => void inUse.delete(client));
  pool.on("connect", (client) => {
    client.once("end", () => {
      if (!inUse.delete(client)) return;
      const release = client.release.bind(client);
      // Whoever has it may still let go of it later, and must not fail by that.
      client.release = () => {};
      release(true);
    });
  });
}
