import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { lockThreads } from "./lose-turns.ts";
import { moveThread } from "./thread-scope.ts";

/** One connection of one instance. */
export interface LinkId {
  readonly instanceId: string;
  readonly epoch: number;
}

/** The link is gone: its threads are disconnected, its turns go on. Means nothing for an epoch that is not current. */
export async function closeLink(app: App, { instanceId, epoch }: LinkId): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || instance.linkEpoch !== epoch || !instance.connected) return;
    await loseLink(app, unit, instance, now);
  });
}

/** A bridge begins: none of its instances is connected to it yet, whatever its last life has left behind. */
export async function forgetLinks(app: App, { runner }: { readonly runner: string }): Promise<void> {
  const now = app.world.now();
  const ids = await app.database.transact((unit) => unit.instances.idsConnected(runner));
  for (const id of ids) {
    await app.database.transact(async (unit) => {
      const instance = await unit.instances.lock(id);
      if (instance?.connected === true) await loseLink(app, unit, instance, now);
    });
  }
}

/** Marks the live threads of a locked instance as disconnected. */
export async function disconnectThreads(
  app: App,
  unit: Unit,
  instance: ZedInstance,
  now: Date,
  reason: string,
): Promise<void> {
  for (const scope of await lockThreads(app, unit, instance, now)) moveThread(scope, "disconnect", reason);
}

async function loseLink(app: App, unit: Unit, instance: ZedInstance, now: Date): Promise<void> {
  Object.assign(instance, { connected: false, linkLostAt: now, updatedAt: now });
  await disconnectThreads(app, unit, instance, now, "LINK_LOST");
  unit.ringInstance(instance.id);
}
