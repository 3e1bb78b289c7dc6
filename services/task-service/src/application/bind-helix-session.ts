import type { Actor } from "@helix-zed/domain";
import { violatedConstraint } from "@helix-zed/persistence";
import { helixSessionTaken, refuse } from "../domain/reason.ts";
import type { WorkSession, WorkSessionFacts } from "../domain/work-session.ts";
import type { App } from "./app.ts";

/** Which Helix session a work session is from now on. */
export interface BindHelixSession {
  readonly workSessionId: string;
  readonly helixSessionId: string;
  /** The lease that a runner speaks under; absent for a caller that holds none. */
  readonly leaseEpoch?: number;
  readonly expectedVersion?: number;
}

/**
 * Puts Helix's own session in the place of the one that was minted here, once; work sessions that the minted one asked for
 * follow in the same transaction. A session that is already bound to the same id is left as it is.
 */
export async function bindHelixSession(
  { database, world }: App,
  actor: Actor,
  { workSessionId, helixSessionId, leaseEpoch, expectedVersion }: BindHelixSession,
): Promise<WorkSessionFacts> {
  try {
    return await database.transact(actor, async ({ tasks, workSessions }) => {
      // The task's row first, as everywhere: no session is added meanwhile that refers to the minted id.
      const task = await tasks.lockOf(workSessionId);
      const siblings = await workSessions.lockAllOf(task.id);
      const session = await workSessions.lock(workSessionId);
      if (leaseEpoch !== undefined) session.requireEpoch(leaseEpoch);
      if (session.helixSessionId === helixSessionId) return session;
      session.requireVersion(expectedVersion);
      const record = await workSessions.recordOf(session);
      if (record.origin !== "minted") throw alreadyBound(session);
      const minted = session.helixSessionId;
      const now = world.now();
      for (const sibling of siblings) {
        if (sibling.spawnedBySessionId === minted) sibling.followSpawner(helixSessionId, now);
      }
      workSessions.rebind(session, record, { helixSessionId, now });
      return session;
    });
  } catch (error) {
    throw takenConstraints.includes(violatedConstraint(error) ?? "") ? helixSessionTaken(helixSessionId) : error;
  }
}

const takenConstraints: readonly string[] = ["sessions_pkey", "work_sessions_helix_session"];

function alreadyBound({ id, helixSessionId }: WorkSession): Error {
  const context = { work_session: id, helix_session: helixSessionId };
  return refuse("HELIX_SESSION_BOUND", "The work session is bound to another Helix session, for good.", context);
}
