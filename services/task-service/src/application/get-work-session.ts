import type { Actor } from "@helix-zed/domain";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import type { App } from "./app.ts";

/** Reads one work session. */
export function getWorkSession(
  { database }: App,
  actor: Actor,
  { workSessionId }: { readonly workSessionId: string },
): Promise<WorkSessionFacts> {
  return database.view(actor, ({ workSessions }) => workSessions.get(workSessionId));
}
