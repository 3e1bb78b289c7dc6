import type { Actor } from "@helix-zed/domain";
import { firstPromptOf, projectPathOf } from "../domain/first-prompt.ts";
import { refuse } from "../domain/reason.ts";
import { type OnTurnEnd, onTurnEndOf } from "../domain/turn-end.ts";
import type { WorkSession, WorkSessionFacts } from "../domain/work-session.ts";
import type { App } from "./app.ts";

/** Who wants which work session. */
export interface ClaimWorkSession {
  readonly workSessionId: string;
  readonly runner: string;
  readonly expectedVersion?: number;
}

/** A claimed work session, and what its runner needs to begin. */
export interface ClaimedWorkSession {
  readonly session: WorkSessionFacts;
  readonly firstPrompt: string;
  readonly projectPath: string;
  readonly onTurnEnd: OnTurnEnd;
}

/** Puts a work session into a runner's hands: one that nobody holds, whose lease has run out, or that it held before. */
export function claimWorkSession(
  { database, limits, world }: App,
  actor: Actor,
  { workSessionId, runner, expectedVersion }: ClaimWorkSession,
): Promise<ClaimedWorkSession> {
  return database.transact(actor, async ({ workSessions }) => {
    const { session, task, databaseNow } = await workSessions.lockToClaim(workSessionId);
    session.requireVersion(expectedVersion);
    requireClaimable(session, runner, databaseNow);
    const expiresAt = new Date(databaseNow.getTime() + limits.leaseMs);
    session.claim({ runner, now: world.now(), expiresAt });
    return {
      session,
      firstPrompt: firstPromptOf(session, task),
      projectPath: projectPathOf(session, task),
      onTurnEnd: onTurnEndOf(session),
    };
  });
}

function requireClaimable(session: WorkSession, runner: string, databaseNow: Date): void {
  const context = { work_session: session.id, status: session.status };
  if (session.status !== "pending" && session.status !== "active") {
    throw refuse("WORK_SESSION_STATUS_CONFLICT", `Cannot claim a work session that is ${session.status}.`, context);
  }
  if (session.isFreeFor(runner, databaseNow)) return;
  const retryAfterMs = (session.leaseExpiresAt?.getTime() ?? 0) - databaseNow.getTime();
  throw refuse("LEASE_HELD", "Another runner holds the work session.", context, { retryAfterMs });
}
