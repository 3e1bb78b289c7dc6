import { type Actor, tenantOf } from "@helix-zed/domain";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";
import { fenceLinks } from "./fence-links.ts";
import { lockThreads, loseTurns } from "./lose-turns.ts";
import { instanceNotFound } from "./zed-instances.ts";

/**
 * Ends the token of an instance of the actor's, and the link that it was used for. A process of the bridge is ended by its
 * supervisor, which sees that its token was revoked, and started again with a new one; one that somebody else started
 * waits for a new one. Refuses with ZED_INSTANCE_NOT_FOUND.
 */
export function revokeZedInstanceToken(app: App, actor: Actor, { id }: { readonly id: string }): Promise<ZedInstance> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.findVisible(id, tenantOf(actor), { lock: true });
    if (instance === null) throw instanceNotFound(id);
    if (instance.tokenHash === null || instance.tokenRevoked) return instance;
    instance.tokenRevoked = true;
    fenceLinks(unit, instance, now);
    instance.move("launch", { now, reason: "TOKEN_REVOKED" });
    await loseTurns(await lockThreads(app, unit, instance, now), "the editor's token was revoked", true);
    return instance;
  });
}
