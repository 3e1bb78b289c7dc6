import { Code, type Client } from "@connectrpc/connect";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { UpstreamError } from "@helix-zed/server";

const ENDS: ReadonlySet<WorkSessionStatus> = new Set([
  WorkSessionStatus.COMPLETED,
  WorkSessionStatus.FAILED,
  WorkSessionStatus.CANCELLED,
]);

/** Whether a work session's status is final. */
export function isFinal(status: WorkSessionStatus): boolean {
  return ENDS.has(status);
}

/** Asks task-service whether a work session has ended or does not exist any more. */
export async function hasEnded(workSessions: Client<typeof WorkSessionService>, id: string): Promise<boolean> {
  try {
    const { workSession } = await workSessions.getWorkSession({ id });
    return workSession !== undefined && isFinal(workSession.status);
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Code.NotFound) return true;
    throw error;
  }
}
