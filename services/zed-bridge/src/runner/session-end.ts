import { Code, type Client } from "@connectrpc/connect";
import { WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { UpstreamError } from "@helix-zed/server";
import type { CloseReason } from "../application/close-thread.ts";

const ENDS: ReadonlyMap<WorkSessionStatus, CloseReason> = new Map([
  [WorkSessionStatus.COMPLETED, "completed"],
  [WorkSessionStatus.FAILED, "failed"],
  [WorkSessionStatus.CANCELLED, "cancelled"],
]);

/** Asks task-service how a work session has ended; `null` if it lives. */
export async function sessionEnd(
  workSessions: Client<typeof WorkSessionService>,
  id: string,
): Promise<CloseReason | null> {
  try {
    const { workSession } = await workSessions.getWorkSession({ id });
    return (workSession && ENDS.get(workSession.status)) ?? null;
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Code.NotFound) return "deleted";
    throw error;
  }
}
