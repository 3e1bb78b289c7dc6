import { timingSafeEqual } from "node:crypto";
import { Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import { hashToken } from "../domain/redact.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";
import { disconnectThreads } from "./close-link.ts";

/** Who wants to connect, and what it shows for it. */
export interface AcceptLink {
  readonly instanceId: string;
  readonly token: string;
}

const NO_HASH = "0".repeat(64);

/**
 * Begins a new epoch of the instance's link; older ones are fenced, and threads count as disconnected until they show that
 * they are alive. Refuses with LINK_TOKEN_INVALID, whatever is wrong.
 */
export function acceptLink(app: App, { instanceId, token }: AcceptLink): Promise<{ readonly epoch: number }> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || !mayConnect(instance, token)) {
      throw new Refusal<Reason>("LINK_TOKEN_INVALID", "There is no instance that this token belongs to.");
    }
    instance.linkEpoch += 1;
    Object.assign(instance, { connected: true, connectedAt: now, linkLostAt: null, updatedAt: now });
    instance.move("connect", { now });
    await disconnectThreads(app, unit, instance, now, "RECONNECTED");
    unit.ringInstance(instance.id);
    return { epoch: instance.linkEpoch };
  });
}

function mayConnect(instance: ZedInstance | null, token: string): boolean {
  const expected = Buffer.from(instance?.tokenHash ?? NO_HASH, "hex");
  const matches = timingSafeEqual(Buffer.from(hashToken(token), "hex"), expected);
  if (!matches || instance === null || instance.tokenHash === null) return false;
  return !instance.tokenRevoked && instance.desired === "running";
}
