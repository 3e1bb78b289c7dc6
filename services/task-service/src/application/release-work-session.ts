import type { Actor } from "@helix-zed/domain";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import type { App } from "./app.ts";

/** Which work session to give back. */
export interface ReleaseWorkSession {
  readonly workSessionId: string;
  readonly epoch: number;
  readonly reason: string;
  readonly expectedVersion?: number;
}

/** A runner gives a work session back: it is pending at once, for any runner. */
export function releaseWorkSession(
  { database, world }: App,
  actor: Actor,
  { workSessionId, epoch, reason, expectedVersion }: ReleaseWorkSession,
): Promise<WorkSessionFacts> {
  return database.transact(actor, async ({ workSessions }) => {
    const session = await workSessions.lock(workSessionId);
    session.requireEpoch(epoch);
    session.requireVersion(expectedVersion);
    session.release(world.now(), reason);
    return session;
  });
}
