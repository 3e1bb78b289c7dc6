import type { DesiredState, InstanceStatus, LaunchTarget } from "../domain/zed-instance.ts";
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
  /** Not to be launched before; `null`: at once. */
  readonly nextLaunchAt: Date | null;
}

/** This bridge's instances that should have a process, or still have one. */
export async function listInstances(_app: App, _query: { readonly runner: string }): Promise<InstanceFacts[]> {
  throw new Error("not written yet");
}
