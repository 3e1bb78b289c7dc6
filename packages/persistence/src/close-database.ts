import type { MikroORM } from "@mikro-orm/postgresql";
import type { Pool } from "pg";

const BUSY_MS_MAX = 2_000;
const CLOSE_MS_MAX = 2_000;

/**
 * Closes the connections once nobody uses them, or after two seconds regardless. To be called when no new work comes.
 * The query builder below the ORM loses a connection that is handed out while its pool is being closed, and the pool then
 * waits for it for ever; so what is still running is waited for first, and the pool itself not without end.
 */
export async function closeDatabase(orm: MikroORM): Promise<void> {
  await waitUntilIdle(await orm.em.getConnection().getNativeClient());
  await Promise.race([orm.close(true), after(CLOSE_MS_MAX)]);
}

function waitUntilIdle(pool: Pool): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      pool.off("release", look).off("remove", look);
      resolve();
    };
    // A release is told before the connection counts as idle.
    const look = (): void => void setImmediate(() => isIdle(pool) && done());
    const timer = setTimeout(done, BUSY_MS_MAX);
    pool.on("release", look).on("remove", look);
    look();
  });
}

function isIdle({ waitingCount, idleCount, totalCount }: Pool): boolean {
  return waitingCount === 0 && idleCount === totalCount;
}

function after(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs).unref());
}
