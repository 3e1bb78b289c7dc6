import { hashToken } from "../domain/redact.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { fenceLinks } from "./fence-links.ts";
import { lockThreads, loseTurns } from "./lose-turns.ts";

/** The process that comes has a number and a token of its own: what the one before it had in its hands is lost. */
export async function beginLaunch(
  app: App,
  unit: Unit,
  instance: ZedInstance,
  { token, now, onPurpose = false }: { readonly token: string; readonly now: Date; readonly onPurpose?: boolean },
): Promise<void> {
  instance.launchCount += 1;
  fenceLinks(unit, instance, now);
  Object.assign(instance, { tokenHash: hashToken(token), tokenRevoked: false, nextLaunchAt: null, startedAt: null });
  await loseTurns(await lockThreads(app, unit, instance, now), "the editor was started anew", onPurpose);
}
