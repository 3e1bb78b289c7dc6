import type { PersistenceReason } from "@helix-zed/persistence";

/** Everything that the bridge declines to do, by name. */
export type Reason =
  | PersistenceReason
  | "AGENT_TYPE_UNKNOWN"
  | "LINK_TOKEN_INVALID"
  | "NO_TURN_RUNNING"
  | "PROJECT_PATH_MISSING"
  | "PROJECT_PATH_NOT_ABSOLUTE"
  | "PROJECT_PATH_OUTSIDE_ROOTS"
  | "PROJECT_PATH_REQUIRED"
  | "REQUEST_ID_REUSED"
  | "RESUME_TOKEN_OUT_OF_RANGE"
  | "THREAD_ENDED"
  | "THREAD_NOT_STARTED"
  | "TURN_NOT_FOUND"
  | "TURN_QUEUE_FULL"
  | "WORKSPACE_CONFIG_TOO_LARGE"
  | "WORK_SESSION_ENDED"
  | "WORK_SESSION_NOT_FOUND"
  | "ZED_INSTANCE_NOT_FOUND"
  | "ZED_THREAD_EXISTS"
  | "ZED_THREAD_NOT_FOUND";
