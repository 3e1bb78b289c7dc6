import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";

/** There is work for a locked instance: one that was stopped or had failed is to be started again. */
export function wantInstance(unit: Unit, instance: ZedInstance, now: Date): void {
  if (instance.desired !== "running") {
    instance.desired = "running";
    instance.updatedAt = now;
  }
  if (instance.move("want", { now, reason: instance.external ? "WAITING_FOR_EDITOR" : "" })) {
    instance.recentExits = [];
    instance.nextLaunchAt = null;
  }
  unit.ringInstance(instance.id);
}
