import type { App } from "./app.ts";

/** Which process a launch became. */
export interface RecordLaunch {
  readonly instanceId: string;
  readonly launch: number;
  readonly pid: number;
  readonly pidStartedAt: string;
}

/** The process runs. Returns whether the launch is still the present one: if not, the process must be ended. */
export function recordLaunch(app: App, command: RecordLaunch): Promise<boolean> {
  const { instanceId, launch, pid, pidStartedAt } = command;
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || instance.launchCount !== launch) return false;
    Object.assign(instance, { pid, pidStartedAt, startedAt: now, updatedAt: now });
    unit.ringInstance(instanceId);
    return true;
  });
}
