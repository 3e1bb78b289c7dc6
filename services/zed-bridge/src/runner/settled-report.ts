// Reporting until it is settled
//
// A report is settled when task-service has taken it, and also when it never will: the session is gone, or has ended
// already (perhaps by this very report, whose answer was lost). Under a lease that is not held any more nothing can be
// reported; what becomes of the session is its new holder's to say. All else is worth another try.
import { Code, type Client } from "@connectrpc/connect";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { UpstreamError } from "@helix-zed/server";
import { sessionEnd } from "./session-end.ts";

/** What became of a report. */
export type Settlement = "taken" | "too-late" | "lease-lost";

/** Sends a report; rejects only where it is worth another try. */
export async function unlessSettled(
  workSessions: Client<typeof WorkSessionService>,
  workSessionId: string,
  send: () => Promise<unknown>,
): Promise<Settlement> {
  try {
    await send();
    return "taken";
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.code === Code.NotFound) return "too-late";
    if (error.code === Code.Aborted && error.reason === "LEASE_LOST") return "lease-lost";
    if (error.code === Code.FailedPrecondition && (await sessionEnd(workSessions, workSessionId)) !== null)
      return "too-late";
    throw error;
  }
}
