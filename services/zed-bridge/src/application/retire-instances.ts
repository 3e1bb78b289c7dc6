import type { App } from "./app.ts";
import { fenceLinks } from "./fence-links.ts";

/** Hides the instances whose tasks do not exist any more; nobody connects as one of them again. Returns how many. */
export async function retireInstances(app: App, { runner }: { readonly runner: string }): Promise<number> {
  const now = app.world.now();
  const ids = await app.database.transact(({ instances }) => instances.idsOfDeletedTasks(runner));
  for (const id of ids) {
    await app.database.transact(async (unit) => {
      const instance = await unit.instances.lock(id);
      if (instance === null || instance.pid !== null || instance.deletedAt !== null) return;
      fenceLinks(unit, instance, now);
      instance.move("stop", { now, reason: "TASK_DELETED" });
      Object.assign(instance, { desired: "stopped", tokenHash: null, deletedAt: now });
    });
  }
  return ids.length;
}
