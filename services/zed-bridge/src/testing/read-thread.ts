import type { Actor } from "@helix-zed/domain";
import type { App } from "../application/app.ts";
import { getZedThread } from "../application/get-zed-thread.ts";
import { listEntries } from "../application/list-entries.ts";
import type { ThreadView } from "../application/thread-view.ts";
import { Turn } from "../domain/turn.ts";

/** The person that claimed sessions belong to. */
export const ann: Actor = { kind: "user", userId: "ann" };

/** Somebody else. */
export const bob: Actor = { kind: "user", userId: "bob" };

/** The thread of a session as its owner sees it. */
export function threadOf(app: App, workSessionId: string): Promise<ThreadView> {
  return getZedThread(app, ann, { workSessionId });
}

/** The transcript of a session: who said what, in order. */
export async function transcriptOf(app: App, workSessionId: string): Promise<string[]> {
  const { entries } = await listEntries(app, ann, { workSessionId, pageSize: 1_000, pageToken: "" });
  return entries.map(({ role, content }) => `${role}: ${content}`);
}

/** The turns of a session in order: status and reason. */
export async function turnsOf(app: App, workSessionId: string): Promise<string[]> {
  const { mapping } = await threadOf(app, workSessionId);
  const turns = await app.database.snapshot((em) =>
    em.find(Turn, { mappingId: mapping.id }, { orderBy: { number: "asc" } }),
  );
  return turns.map(({ status, statusReason }) => (statusReason === "" ? status : `${status} ${statusReason}`));
}
