import type { App } from "./app.ts";
import { endThread } from "./end-thread.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** Why a thread ends although its own turns did not end it. */
export type CloseReason = "completed" | "failed" | "cancelled" | "deleted" | "ended";

/** Which session ended, and how as far as that is known. */
export interface CloseThread {
  readonly workSessionId: string;
  /** `ended`: somehow. `deleted`: the session does not exist any more, and its thread is hidden from now on. */
  readonly reason: CloseReason;
}

/** The work session has ended elsewhere: ends its turns and its thread; nothing is owed to task-service any more. */
export async function closeThread(app: App, { workSessionId, reason }: CloseThread): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockOfSession(workSessionId);
    if (mapping === null) return;
    const scope: ThreadScope = { unit, mapping, limits: app.limits, now };
    const outcome = reason === "failed" || reason === "cancelled" ? reason : "completed";
    await endThread(scope, { outcome, reason: `SESSION_${reason.toUpperCase()}`, known: true });
    mapping.outcomeReported = mapping.outcome;
    mapping.leaseEpoch = null;
    if (reason === "deleted" && mapping.deletedAt === null) {
      mapping.deletedAt = now;
      unit.log.mapping(mapping);
    }
  });
}
