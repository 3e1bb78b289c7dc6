import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";

/** What a runner does about a work session that it sees. */
export type Reaction = "claim" | "keep" | "let-go" | "ignore";

/** What the runner knows of itself when it decides. */
export interface Runner {
  readonly name: string;
  /** The epoch of the lease it holds on this session, if it does. */
  readonly heldEpoch: bigint | undefined;
}

/**
 * Decides from the session's present state alone, however often and in whatever order states are seen.
 *
 * - Nobody holds it: claim it.
 * - This runner's name holds it, but this process does not know of it: the runner was restarted; claim it again.
 * - This process holds it under this epoch or a newer one than seen here: keep it (the event is an echo of its claim).
 * - Somebody else holds it: let go if this process thought it did.
 */
export function reactTo(session: WorkSession, runner: Runner): Reaction {
  if (!isWorkable(session.status)) return "ignore";
  const { lease } = session;
  if (lease === undefined) return runner.heldEpoch === undefined ? claimIfPending(session) : "keep";
  if (runner.heldEpoch !== undefined && lease.epoch <= runner.heldEpoch) return "keep";
  if (lease.runner === runner.name) return "claim";
  return runner.heldEpoch === undefined ? "ignore" : "let-go";
}

function claimIfPending(session: WorkSession): Reaction {
  return session.status === WorkSessionStatus.PENDING ? "claim" : "ignore";
}

function isWorkable(status: WorkSessionStatus): boolean {
  return status === WorkSessionStatus.PENDING || status === WorkSessionStatus.ACTIVE;
}
