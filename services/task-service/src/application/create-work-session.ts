import type { Actor } from "@helix-zed/domain";
import { violatedConstraint } from "@helix-zed/persistence";
import { ownerOf } from "../domain/owner.ts";
import { helixSessionTaken, refuse } from "../domain/reason.ts";
import { type Spawn, spawnDepthOf } from "../domain/spawn-depth.ts";
import type { Task } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import { hasSessionEnded } from "../domain/work-session-lifecycle.ts";
import { type WorkSessionRow, workSessionFromRow } from "../persistence/rows.ts";
import type { App } from "./app.ts";
import { type NewWorkSession, newWorkSession } from "./new-work-session.ts";

/** A work session to add to a task. */
export interface CreateWorkSession extends NewWorkSession {
  readonly taskId: string;
  /** `null`: one is minted. */
  readonly helixSessionId: string | null;
  readonly parentWorkSessionId: string | null;
  readonly spawnedBySessionId: string | null;
  /** A UUID that makes the call safe to repeat. */
  readonly requestId: string | null;
}

/** Adds a work session to a live task; with a parent or a spawner it is a spawn, which a finished session cannot do. */
export async function createWorkSession(
  { database, world, limits }: App,
  actor: Actor,
  { requestId, ...asked }: CreateWorkSession,
): Promise<WorkSessionFacts> {
  const { tenant } = ownerOf(actor);
  const request = { tenant, requestId, method: "CreateWorkSession", payload: asked };
  const { taskId, helixSessionId, parentWorkSessionId, spawnedBySessionId, ...session } = asked;
  try {
    return await database.transact(actor, async ({ tasks, workSessions, requests }) => {
      const earlier = await requests.recall<WorkSessionRow>(request);
      if (earlier !== null) return workSessionFromRow(earlier);
      const task = await tasks.lock(taskId);
      task.requireLive();
      // A session is added or ends with the task's row held, so these cannot change in what is asked of them.
      const siblings = await workSessions.allOf(taskId, limits.workSessionsPerTaskMax);
      requireRoom(task, siblings, limits.workSessionsPerTaskMax);
      requireParent(siblings, parentWorkSessionId);
      requireSpawner(task, siblings, spawnedBySessionId);
      requireDepth(siblings, { parentWorkSessionId, spawnedBySessionId }, limits.spawnDepthMax);
      const ids = { id: world.newId("ws"), helixSessionId: helixSessionId ?? world.newId("ses") };
      const origin = { ...ids, task, now: world.now(), parentWorkSessionId, spawnedBySessionId };
      const created = workSessions.add(newWorkSession(session, origin), helixSessionId === null ? "minted" : "caller");
      requests.keep(request, { table: "work_sessions", id: created.id });
      return created;
    });
  } catch (error) {
    const violated = violatedConstraint(error) ?? "";
    throw helixSessionConstraints.includes(violated) ? helixSessionTaken(helixSessionId ?? "") : error;
  }
}

/** Either may be the one that notices. */
const helixSessionConstraints: readonly string[] = ["sessions_pkey", "work_sessions_helix_session"];

function requireRoom(task: Task, siblings: readonly WorkSessionFacts[], max: number): void {
  if (siblings.length < max) return;
  const context = { task: task.id, limit: String(max) };
  const message = `A task has at most ${max} work sessions.`;
  const quota = { subject: `task:${task.id}`, description: message };
  throw refuse("TOO_MANY_WORK_SESSIONS", message, context, { quota });
}

function requireDepth(siblings: readonly WorkSessionFacts[], spawn: Spawn, max: number): void {
  const depth = spawnDepthOf(spawn, siblings);
  if (depth <= max) return;
  const message = `A work session descends from at most ${max} others.`;
  const subject = `work_session:${spawn.parentWorkSessionId ?? spawn.spawnedBySessionId ?? ""}`;
  throw refuse("SPAWN_TOO_DEEP", message, { limit: String(max) }, { quota: { subject, description: message } });
}

function requireParent(siblings: readonly WorkSessionFacts[], id: string | null): void {
  if (id === null) return;
  const context = { parent_work_session: id };
  const parent = siblings.find((session) => session.id === id);
  if (parent === undefined)
    throw refuse("PARENT_NOT_IN_TASK", "The parent is not a work session of this task.", context);
  if (hasSessionEnded(parent.status)) throw refuse("PARENT_ENDED", `The parent is ${parent.status}.`, context);
}

function requireSpawner(task: Task, siblings: readonly WorkSessionFacts[], id: string | null): void {
  if (id === null || id === task.coordinatorSessionId) return;
  const context = { spawned_by_session: id };
  const spawner = siblings.find(({ helixSessionId }) => helixSessionId === id);
  if (spawner === undefined) throw refuse("SPAWNER_NOT_IN_TASK", "The spawner is not a session of this task.", context);
  if (hasSessionEnded(spawner.status)) throw refuse("SPAWNER_ENDED", `The spawner is ${spawner.status}.`, context);
}
