import type { DesiredState, InstanceStatus, LaunchTarget, ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";

/** An instance as its supervisor needs it. */
export interface InstanceFacts {
  readonly id: string;
  readonly desired: DesiredState;
  readonly status: InstanceStatus;
  readonly launchTarget: LaunchTarget;
  readonly workingDirectory: string;
  /** The number of the present launch; 0 before the first. */
  readonly launch: number;
  readonly pid: number | null;
  readonly pidStartedAt: string | null;
  readonly connected: boolean;
  /** It runs and has not been connected for too long: end it, and record the exit. */
  readonly unresponsive: boolean;
  /** It runs, and its token is good no more: end it, so that it is started again with another. */
  readonly revoked: boolean;
  /** Not to be launched before; `null`: at once. */
  readonly nextLaunchAt: Date | null;
}

/** This bridge's instances that should have a process, or still have one. */
export async function listInstances(app: App, { runner }: { readonly runner: string }): Promise<InstanceFacts[]> {
  const instances = await app.database.transact((unit) => unit.instances.supervised(runner));
  const now = app.world.now();
  return instances.map((instance) => toFacts(instance, app, now));
}

function toFacts(instance: ZedInstance, { limits }: App, now: Date): InstanceFacts {
  const { id, desired, status, launchTarget, workingDirectory, pid, pidStartedAt, connected, nextLaunchAt } = instance;
  const aloneSince = Math.max(instance.startedAt?.getTime() ?? 0, instance.linkLostAt?.getTime() ?? 0);
  const unresponsive = pid !== null && !connected && now.getTime() - aloneSince > limits.connectTimeoutMs;
  const revoked = pid !== null && instance.tokenRevoked;
  const process = { launch: instance.launchCount, pid, pidStartedAt, connected, unresponsive, revoked, nextLaunchAt };
  return { id, desired, status, launchTarget, workingDirectory, ...process };
}
