import type { Actor } from "@helix-zed/domain";
import type { App } from "./app.ts";
import { endThread } from "./end-thread.ts";
import { keyFor, threadNotFound } from "./thread-view.ts";

/** Ends the thread of a work session as cancelled; task-service is told. One that has ended stays as it is. */
export async function deleteZedThread(
  app: App,
  actor: Actor,
  { workSessionId }: { readonly workSessionId: string },
): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockVisible(keyFor(actor, workSessionId));
    if (mapping === null) throw threadNotFound(workSessionId);
    await endThread({ unit, mapping, limits: app.limits, now }, { outcome: "cancelled", reason: "THREAD_DELETED" });
  });
}
