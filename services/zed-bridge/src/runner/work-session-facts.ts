import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionFacts } from "../application/app.ts";

/** What a thread depends on of a work session. */
export function factsOf(session: WorkSession): WorkSessionFacts {
  const { id, taskId, userId, organizationId, agentType, name } = session;
  return { id, taskId, userId, organizationId, agentType, name };
}
