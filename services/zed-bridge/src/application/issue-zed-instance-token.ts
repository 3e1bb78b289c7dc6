import { type Actor, Refusal, tenantOf } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { beginLaunch } from "./begin-launch.ts";
import { instanceNotFound } from "./zed-instances.ts";

/** An instance that somebody else starts, and what its process proves itself with. */
export interface IssuedToken {
  readonly instance: ZedInstance;
  /** Known to nobody but who asked for it: only its hash is kept. */
  readonly token: string;
}

/**
 * Makes a new token for an instance of the actor's that somebody else starts; the older one is good no more. Refuses with
 * ZED_INSTANCE_NOT_FOUND, INSTANCE_NOT_EXTERNAL.
 */
export function issueZedInstanceToken(app: App, actor: Actor, { id }: { readonly id: string }): Promise<IssuedToken> {
  const token = app.world.newSecret();
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.findVisible(id, tenantOf(actor), { lock: true });
    if (instance === null) throw instanceNotFound(id);
    if (!instance.external) throw notExternal(instance);
    return issueTo(app, unit, instance, { token, now });
  });
}

/** Whoever shows this token from now on is the process of a locked instance, and nobody else is. */
export async function issueTo(
  app: App,
  unit: Unit,
  instance: ZedInstance,
  { token, now }: { readonly token: string; readonly now: Date },
): Promise<IssuedToken> {
  instance.move("launch", { now, reason: "WAITING_FOR_EDITOR" });
  await beginLaunch(app, unit, instance, { token, now, onPurpose: true });
  return { instance, token };
}

function notExternal({ id, launchTarget }: ZedInstance): Refusal<Reason> {
  return new Refusal<Reason>(
    "INSTANCE_NOT_EXTERNAL",
    `The instance is started by the bridge (${launchTarget}), which gives it its token.`,
    { zed_instance_id: id, launch_target: launchTarget },
  );
}
