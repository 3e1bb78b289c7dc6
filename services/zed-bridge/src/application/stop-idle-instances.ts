import type { App } from "./app.ts";
import { unwantInstance } from "./stop-zed-instance.ts";

/**
 * Stops the processes in which nothing was to be done for long; a message to one of their threads brings them back. Call it
 * every second or so. Returns how many were stopped.
 */
export async function stopIdleInstances(app: App, { runner }: { readonly runner: string }): Promise<number> {
  const { idleStopMs } = app.limits;
  if (idleStopMs === null) return 0;
  const now = app.world.now();
  const since = new Date(now.getTime() - idleStopMs);
  const ids = await app.database.transact(({ deadlines }) => deadlines.idleInstances(runner, since));
  for (const id of ids) {
    await app.database.transact(async (unit) => {
      const instance = await unit.instances.lock(id);
      // Turns are queued under the instance's lock: what is seen now stays true until the commit.
      const idle = await unit.deadlines.idleInstances(runner, since);
      if (instance !== null && idle.includes(id)) unwantInstance(unit, instance, { now, reason: "IDLE" });
    });
  }
  return ids.length;
}
