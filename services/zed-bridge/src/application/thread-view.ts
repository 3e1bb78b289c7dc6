import { tenantOf, type Actor, Refusal } from "@helix-zed/domain";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { PermissionRequest } from "../domain/permission-request.ts";
import type { Reason } from "../domain/reason.ts";
import type { ThreadMapping } from "../domain/thread-mapping.ts";
import { Turn } from "../domain/turn.ts";
import type { ThreadKey } from "../persistence/thread-repository.ts";
import type { App } from "./app.ts";
import { viewTurns } from "./turn-view.ts";

/** A thread with what callers are shown along with it. */
export interface ThreadView {
  readonly mapping: ThreadMapping;
  /** The turn that the editor has, else the one that ended last; `null` before the first. */
  readonly latestTurn: Turn | null;
  /** What the agent of that turn asks to be allowed and nobody has answered, oldest first. */
  readonly permissionRequests: readonly PermissionRequest[];
  readonly queuedTurnCount: number;
}

/** Adds to a mapping what callers are shown along with it. */
export async function viewThread(em: EntityManager, mapping: ThreadMapping): Promise<ThreadView> {
  const mappingId = mapping.id;
  const inFlight = { $in: ["sent" as const, "running" as const, "waiting" as const] };
  const current = await em.findOne(Turn, { mappingId, status: inFlight });
  const [latest] = await viewTurns(em, current === null ? await lastEnded(em, mappingId) : [current]);
  const queuedTurnCount = await em.count(Turn, { mappingId, status: "queued" });
  return {
    mapping,
    latestTurn: latest?.turn ?? null,
    permissionRequests: latest?.permissionRequests ?? [],
    queuedTurnCount,
  };
}

/** How the actor may name the thread of this session. */
export function keyFor(actor: Actor, workSessionId: string): ThreadKey {
  return { workSessionId, tenant: tenantOf(actor) };
}

/** What to say where there is no such thread, or it is another tenant's: the same, to the byte. */
export function threadNotFound(workSessionId: string): Refusal<Reason> {
  return new Refusal(
    "ZED_THREAD_NOT_FOUND",
    "The work session does not exist or has no thread.",
    { work_session_id: workSessionId },
    { resource: { type: "ZedThread", name: workSessionId } },
  );
}

/** Why nothing can be done with a thread that is not there: the session is not, or it has ended, or not begun. */
export async function whyNoThread(app: App, actor: Actor, workSessionId: string): Promise<Refusal<Reason>> {
  const session = await app.workSessions.find(actor, workSessionId);
  if (session === null) return sessionNotFound(workSessionId);
  const metadata = { work_session_id: workSessionId };
  if (session.ended) return new Refusal("WORK_SESSION_ENDED", "The work session has ended.", metadata);
  return new Refusal("THREAD_NOT_STARTED", "Nobody works on the work session yet: it has no thread.", metadata);
}

/** What to say where there is no such session, or it is another tenant's. */
export function sessionNotFound(workSessionId: string): Refusal<Reason> {
  return new Refusal(
    "WORK_SESSION_NOT_FOUND",
    "There is no such work session.",
    { work_session_id: workSessionId },
    { resource: { type: "WorkSession", name: workSessionId } },
  );
}

/** What to say where a thread has ended and more is asked of it. */
export function threadEnded({ workSessionId, status }: ThreadMapping): Refusal<Reason> {
  const metadata = { work_session_id: workSessionId, status };
  return new Refusal("THREAD_ENDED", `The thread is ${status}: nothing can be said in it any more.`, metadata);
}

function lastEnded(em: EntityManager, mappingId: string): Promise<Turn[]> {
  return em.find(
    Turn,
    { mappingId, completedAt: { $ne: null } },
    { orderBy: { completedAt: "desc", number: "desc" }, limit: 1 },
  );
}
