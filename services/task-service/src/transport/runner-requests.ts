import type {
  BindHelixSessionRequest,
  ClaimWorkSessionRequest,
  ReleaseWorkSessionRequest,
  RenewLeasesRequest,
} from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import type { BindHelixSession } from "../application/bind-helix-session.ts";
import type { ClaimWorkSession } from "../application/claim-work-session.ts";
import type { ReleaseWorkSession } from "../application/release-work-session.ts";
import type { RenewLeases } from "../application/renew-leases.ts";
import type { RequestCheck } from "./request-check.ts";
import { epochOf } from "./work-session-requests.ts";

/** A request for a work session, checked. */
export function claimWorkSessionCommand(request: ClaimWorkSessionRequest, check: RequestCheck): ClaimWorkSession {
  const expected = check.etag(request.etag);
  check.done();
  return { workSessionId: request.id, runner: request.runner, ...expected };
}

/** A request to prolong leases. */
export function renewLeasesCommand({ runner, leases }: RenewLeasesRequest): RenewLeases {
  return { runner, leases: leases.map(({ workSessionId, epoch }) => ({ workSessionId, epoch: epochOf(epoch) })) };
}

/** A request to give a work session back, checked. */
export function releaseWorkSessionCommand(request: ReleaseWorkSessionRequest, check: RequestCheck): ReleaseWorkSession {
  const { id: workSessionId, epoch, reason } = request;
  const expected = check.etag(request.etag);
  check.done();
  return { workSessionId, epoch: epochOf(epoch), reason, ...expected };
}

/** A request to bind Helix's own session, checked. */
export function bindHelixSessionCommand(request: BindHelixSessionRequest, check: RequestCheck): BindHelixSession {
  const { id: workSessionId, helixSessionId, leaseEpoch } = request;
  const expected = check.etag(request.etag);
  check.done();
  const lease = leaseEpoch === 0n ? {} : { leaseEpoch: epochOf(leaseEpoch) };
  return { workSessionId, helixSessionId, ...expected, ...lease };
}
