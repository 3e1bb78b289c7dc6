import type { LaunchTarget } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";

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
export async function prepareLaunch(_app: App, _command: { readonly instanceId: string }): Promise<Launch | null> {
  throw new Error("not written yet");
}
