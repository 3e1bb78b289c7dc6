import type { ServiceActor } from "@helix-zed/domain";
import type { ExpiredLease } from "../persistence/lease-table.ts";
import type { App } from "./app.ts";
import { rollUpTask } from "./roll-up-task.ts";

const BATCH = 100;

/** The service itself, which sees the sessions of all tenants. */
const sweeper: ServiceActor = { kind: "service", name: "task-service", roles: ["runner"] };

/**
 * Takes work sessions from runners that were not heard of in time: they wait for another runner, or are given up after the
 * last attempt. What somebody else is changing at this moment is left to the next round. Says how many were taken.
 */
export async function expireLeases(app: App): Promise<number> {
  const expired = await app.database.view(sweeper, ({ leases }) => leases.expired(BATCH));
  let count = 0;
  for (const lease of expired) {
    if (await expire(app, lease)) count++;
  }
  return count;
}

function expire({ database, world, limits }: App, { workSessionId, taskId }: ExpiredLease): Promise<boolean> {
  return database.transact(sweeper, async ({ tasks, workSessions }) => {
    const task = await tasks.lockIfFree(taskId);
    const held = task && (await workSessions.lockIfFree(workSessionId));
    if (task === null || held === null) return false;
    const { session, siblings, databaseNow } = held;
    // It may have been renewed or have ended since it was found.
    if (session.leaseExpiresAt === null || session.leaseExpiresAt >= databaseNow) return false;
    const now = world.now();
    session.expire(now, limits.attemptsMax);
    rollUpTask(task, [session.status, ...siblings], now);
    return true;
  });
}
