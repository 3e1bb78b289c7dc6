import { Refusal, type RefusalExtras } from "@helix-zed/domain";

/** Why this service refuses, beyond what every service may refuse for. */
export type Reason =
  | "AGENT_TYPE_UNKNOWN"
  | "ETAG_MISMATCH"
  | "FILTER_INVALID"
  | "HELIX_SESSION_BOUND"
  | "HELIX_SESSION_TAKEN"
  | "LEASE_HELD"
  | "LEASE_LOST"
  | "ORDER_BY_INVALID"
  | "PAGE_TOO_SLOW"
  | "PARENT_ENDED"
  | "PARENT_NOT_IN_TASK"
  | "REQUEST_ID_REUSED"
  | "RESUME_TOKEN_EXPIRED"
  | "RESUME_TOKEN_FROM_ANOTHER_LOG"
  | "RESUME_TOKEN_FROM_THE_FUTURE"
  | "RUNNER_ROLE_REQUIRED"
  | "SNAPSHOT_TOO_SLOW"
  | "SPAWNER_ENDED"
  | "SPAWNER_NOT_IN_TASK"
  | "SPAWN_TOO_DEEP"
  | "TASK_ENDED"
  | "TASK_NOT_FOUND"
  | "TASK_STATUS_CONFLICT"
  | "TENANT_REQUIRED"
  | "TOO_MANY_SNAPSHOTS"
  | "TOO_MANY_WATCHES"
  | "TOO_MANY_WORK_SESSIONS"
  | "WORK_SESSION_NOT_FOUND"
  | "WORK_SESSION_STATUS_CONFLICT";

/** A refusal of this service; its metadata name what it is about. */
export function refuse(
  reason: Reason,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
  extras: RefusalExtras = {},
): Refusal<Reason> {
  return new Refusal(reason, message, metadata, extras);
}

/** The answer where a Helix session is one to one with something else. */
export function helixSessionTaken(id: string): Refusal<Reason> {
  const message = "This Helix session belongs to another work session.";
  return refuse("HELIX_SESSION_TAKEN", message, { helix_session: id });
}

/** The one answer for a task that does not exist and for a task of another tenant. */
export function taskNotFound(id: string): Refusal<Reason> {
  return refuse("TASK_NOT_FOUND", "There is no such task.", { task: id }, { resource: { type: "Task", name: id } });
}

/** The one answer for a work session that does not exist and for a work session of another tenant. */
export function workSessionNotFound(id: string): Refusal<Reason> {
  const resource = { type: "WorkSession", name: id };
  return refuse("WORK_SESSION_NOT_FOUND", "There is no such work session.", { work_session: id }, { resource });
}
