import type { Actor } from "@helix-zed/domain";
import type { App } from "./app.ts";
import { keyFor, threadNotFound, type ThreadView, viewThread } from "./thread-view.ts";

/** Reads the thread of a work session. Refuses with ZED_THREAD_NOT_FOUND. */
export function getZedThread(
  { database }: App,
  actor: Actor,
  { workSessionId }: { readonly workSessionId: string },
): Promise<ThreadView> {
  return database.transact(async (unit) => {
    const mapping = await unit.threads.find(keyFor(actor, workSessionId));
    if (mapping === null) throw threadNotFound(workSessionId);
    return viewThread(unit.em, mapping);
  });
}
