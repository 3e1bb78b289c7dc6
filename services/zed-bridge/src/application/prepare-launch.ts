import type { LaunchTarget, ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";
import { beginLaunch } from "./begin-launch.ts";

/** Everything that argv and environment of a launch are made of. */
export interface Launch {
  readonly instanceId: string;
  readonly launch: number;
  /** What the process presents when it connects. Given out here and nowhere else. */
  readonly token: string;
  readonly launchTarget: LaunchTarget;
  readonly workingDirectory: string;
  readonly taskId: string;
}

/** Begins a launch: a new number, a new token; links of older launches are fenced. `null` if none is wanted now. */
export function prepareLaunch(app: App, { instanceId }: { readonly instanceId: string }): Promise<Launch | null> {
  const now = app.world.now();
  const token = app.world.newSecret();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || !isWanted(instance, now) || !instance.move("launch", { now })) return null;
    await beginLaunch(app, unit, instance, { token, now });
    const { launchCount: launch, launchTarget, workingDirectory, taskId } = instance;
    return { instanceId, launch, token, launchTarget, workingDirectory, taskId };
  });
}

function isWanted({ desired, pid, nextLaunchAt, external }: ZedInstance, now: Date): boolean {
  return !external && desired === "running" && pid === null && (nextLaunchAt === null || nextLaunchAt <= now);
}
