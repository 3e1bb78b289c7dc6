import { optionFor } from "../domain/permission-request.ts";
import type { App } from "./app.ts";

/** Rejects what nobody has answered in time; the host is told as if somebody had. Returns how much that was. */
export async function expirePermissions(app: App, { runner }: { readonly runner: string }): Promise<number> {
  const now = app.world.now();
  const late = await app.database.transact(({ permissions }) => permissions.expired(runner, now));
  for (const { id, mappingId } of late) await expirePermission(app, mappingId, id, now);
  return late.length;
}

function expirePermission(app: App, mappingId: string, id: string, now: Date): Promise<void> {
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lock(mappingId);
    const request = await unit.permissions.find(mappingId, id);
    if (mapping === null || request === null || request.answeredAt !== null || request.resolvedAt !== null) return;
    request.answer(optionFor(request.options, "reject")?.id ?? null, { by: "", now });
    unit.log.turn(mapping, request.turnId);
    unit.ringInstance(mapping.zedSessionId);
  });
}
