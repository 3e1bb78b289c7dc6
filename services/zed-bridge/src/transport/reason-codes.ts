import { Code } from "@connectrpc/connect";
import type { PersistenceReason } from "@helix-zed/persistence";
import type { ReasonCodes } from "@helix-zed/server";
import type { Reason } from "../domain/reason.ts";

/** The code of everything that the bridge refuses with. */
export const reasonCodes: ReasonCodes<Reason | PersistenceReason> = {
  AGENT_TYPE_UNKNOWN: Code.FailedPrecondition,
  DATABASE_UNAVAILABLE: Code.Unavailable,
  LINK_TOKEN_INVALID: Code.Unauthenticated,
  NO_TURN_RUNNING: Code.FailedPrecondition,
  PAGE_TOKEN_INVALID: Code.InvalidArgument,
  PROJECT_PATH_MISSING: Code.InvalidArgument,
  PROJECT_PATH_NOT_ABSOLUTE: Code.InvalidArgument,
  PROJECT_PATH_OUTSIDE_ROOTS: Code.InvalidArgument,
  PROJECT_PATH_REQUIRED: Code.InvalidArgument,
  REQUEST_ID_REUSED: Code.AlreadyExists,
  RESUME_TOKEN_INVALID: Code.InvalidArgument,
  RESUME_TOKEN_OUT_OF_RANGE: Code.OutOfRange,
  THREAD_ENDED: Code.FailedPrecondition,
  THREAD_NOT_STARTED: Code.FailedPrecondition,
  TRANSACTION_CONFLICT: Code.Aborted,
  TURN_NOT_FOUND: Code.NotFound,
  TURN_QUEUE_FULL: Code.ResourceExhausted,
  WORKSPACE_CONFIG_TOO_LARGE: Code.InvalidArgument,
  WORK_SESSION_ENDED: Code.FailedPrecondition,
  WORK_SESSION_NOT_FOUND: Code.NotFound,
  ZED_INSTANCE_NOT_FOUND: Code.NotFound,
  ZED_THREAD_EXISTS: Code.AlreadyExists,
  ZED_THREAD_NOT_FOUND: Code.NotFound,
};
