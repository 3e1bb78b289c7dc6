import type { App } from "./app.ts";
import { moveThread } from "./thread-scope.ts";

/** Whose thread cannot go on here, and why. */
export interface LeaveThread {
  readonly workSessionId: string;
  /** UPPER_SNAKE. */
  readonly reason: string;
}

/** Says on a thread that its bridge is gone and why another does not go on with it. Any sign of life takes that back. */
export async function leaveThread(app: App, { workSessionId, reason }: LeaveThread): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockOfSession(workSessionId);
    if (mapping === null || mapping.ended || mapping.statusReason === reason) return;
    if (moveThread({ unit, mapping, limits: app.limits, now }, "disconnect", reason)) return;
    Object.assign(mapping, { statusReason: reason, updatedAt: now });
    unit.log.mapping(mapping);
  });
}
