import { Code } from "@connectrpc/connect";
import type { PersistenceReason } from "@helix-zed/persistence";
import type { Reason } from "../domain/reason.ts";

/** The code of every reason that this service refuses with. */
export const reasonCodes: Readonly<Record<Reason | PersistenceReason, Code>> = {
  AGENT_TYPE_UNKNOWN: Code.InvalidArgument,
  DATABASE_UNAVAILABLE: Code.Unavailable,
  ETAG_MISMATCH: Code.Aborted,
  FILTER_INVALID: Code.InvalidArgument,
  HELIX_SESSION_BOUND: Code.FailedPrecondition,
  HELIX_SESSION_TAKEN: Code.AlreadyExists,
  LEASE_HELD: Code.Aborted,
  LEASE_LOST: Code.Aborted,
  ORDER_BY_INVALID: Code.InvalidArgument,
  PAGE_TOKEN_INVALID: Code.InvalidArgument,
  PARENT_ENDED: Code.FailedPrecondition,
  PARENT_NOT_IN_TASK: Code.FailedPrecondition,
  REQUEST_ID_REUSED: Code.AlreadyExists,
  RESUME_TOKEN_EXPIRED: Code.OutOfRange,
  RESUME_TOKEN_FROM_ANOTHER_LOG: Code.OutOfRange,
  RESUME_TOKEN_FROM_THE_FUTURE: Code.OutOfRange,
  RESUME_TOKEN_INVALID: Code.InvalidArgument,
  RUNNER_ROLE_REQUIRED: Code.PermissionDenied,
  SNAPSHOT_TOO_SLOW: Code.ResourceExhausted,
  SPAWNER_ENDED: Code.FailedPrecondition,
  SPAWNER_NOT_IN_TASK: Code.FailedPrecondition,
  SPAWN_TOO_DEEP: Code.ResourceExhausted,
  TASK_ENDED: Code.FailedPrecondition,
  TASK_NOT_FOUND: Code.NotFound,
  TASK_STATUS_CONFLICT: Code.FailedPrecondition,
  TENANT_REQUIRED: Code.PermissionDenied,
  TOO_MANY_SNAPSHOTS: Code.ResourceExhausted,
  TOO_MANY_WATCHES: Code.ResourceExhausted,
  TOO_MANY_WORK_SESSIONS: Code.ResourceExhausted,
  TRANSACTION_CONFLICT: Code.Aborted,
  WORK_SESSION_NOT_FOUND: Code.NotFound,
  WORK_SESSION_STATUS_CONFLICT: Code.FailedPrecondition,
};
