import { type Actor, tenantOf } from "@helix-zed/domain";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endTurn } from "./end-turn.ts";
import { fenceLinks } from "./fence-links.ts";
import { lockThreads } from "./lose-turns.ts";
import { instanceNotFound } from "./zed-instances.ts";

/**
 * Stops an instance of the actor's with all that its threads do or wait for; new work starts it again. One that somebody
 * else started is cut off, and told to stop its turn when it is let in again. Refuses with ZED_INSTANCE_NOT_FOUND.
 */
export function stopZedInstance(app: App, actor: Actor, { id }: { readonly id: string }): Promise<ZedInstance> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const visible = await unit.instances.findVisible(id, tenantOf(actor), { lock: true });
    if (visible === null) throw instanceNotFound(id);
    unwantInstance(unit, visible, { now, reason: "STOPPED_ON_REQUEST" });
    if (visible.external) fenceLinks(unit, visible, now);
    for (const scope of await lockThreads(app, unit, visible, now)) {
      for (const turn of await unit.turns.live(scope.mapping.id)) {
        if (visible.external && turn.inFlight) turn.cancelRequestedAt ??= now;
        await endTurn(scope, turn, "interrupt", { reason: "INSTANCE_STOPPED" });
      }
    }
    return visible;
  });
}

/** Nobody wants a locked instance any more: without a process it is stopped at once, else when that has ended. */
export function unwantInstance(
  unit: Unit,
  instance: ZedInstance,
  why: { readonly now: Date; readonly reason: string },
): void {
  instance.desired = "stopped";
  Object.assign(instance, { statusReason: why.reason, updatedAt: why.now, nextLaunchAt: null });
  if (instance.pid === null) instance.move("stop", why);
  unit.ringInstance(instance.id);
}
