import type { Client } from "@connectrpc/connect";
import type { World } from "@helix-zed/domain";
import type { ClaimWorkSessionResponse, RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";

/** A claimed session, with its lease. */
export type Claim = ClaimWorkSessionResponse & { readonly workSession: WorkSession };

/** What a runner does with its sessions. Every call may come again; none may take back what a newer one did. */
export interface RunnerHandler {
  /** Whether the session can be carried out here: asked before it is claimed. Default: yes. What is refused waits for another. */
  suits?(workSessionId: string): Promise<boolean>;
  /** The session is this runner's to carry out: make the world match, then return. */
  claimed(claim: Claim, leaseEpoch: bigint): Promise<void>;
  /** The session is somebody else's now, or nobody's: stop driving it, keep what was done. */
  lost(workSessionId: string): Promise<void>;
  /** The session has ended or does not exist any more: clean up after it. */
  ended(workSessionId: string): Promise<void>;
  /** Every session that lives is in `workSessionIds`; those that were created after the watch began may be missing. */
  synced(workSessionIds: ReadonlySet<string>): Promise<void>;
}

/** Something that went wrong and was survived. */
export interface RunnerProblem {
  readonly doing: string;
  readonly workSessionId?: string;
  readonly error: unknown;
}

/** How a runner finds its work. */
export interface RunnerOptions {
  /** Its name: the same across restarts, and no other runner's. */
  readonly name: string;
  /** The agent types that it carries out. */
  readonly agentTypes: readonly string[];
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly runners: Client<typeof RunnerService>;
  readonly handler: RunnerHandler;
  readonly world: Pick<World, "sleep" | "random">;
  /** How many sessions it holds at once. Default: any number. */
  readonly capacity?: number;
  /** Pause between two renewals, in milliseconds: a third of the lease or less. Default 10,000. */
  readonly renewIntervalMs?: number;
  readonly onProblem: (problem: RunnerProblem) => void;
}
