import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";

/** No link of a locked instance is listened to any more, wherever it is open; each is closed when it notices. */
export function fenceLinks(unit: Unit, instance: ZedInstance, now: Date): void {
  instance.linkEpoch += 1;
  Object.assign(instance, { connected: false, linkLostAt: now, updatedAt: now });
  unit.ringInstance(instance.id);
}
