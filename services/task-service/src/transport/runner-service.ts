import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import type { App } from "../application/app.ts";
import { claimWorkSession } from "../application/claim-work-session.ts";
import { releaseWorkSession } from "../application/release-work-session.ts";
import { renewLeases } from "../application/renew-leases.ts";
import { runnerCaller } from "./callers.ts";
import { RequestCheck } from "./request-check.ts";
import { onTurnEnds } from "./wire-enums.ts";
import { workSessionMessage } from "./work-session-messages.ts";
import { epochOf } from "./work-session-requests.ts";

/** RunnerService: request in, command through, message out; for runners only. */
export function runnerService(app: App): ServiceImpl<typeof RunnerService> {
  const check = (request: object): RequestCheck => new RequestCheck(app, request);
  return {
    async claimWorkSession(request, context) {
      check(request).done();
      const command = { workSessionId: request.id, runner: request.runner };
      const { session, firstPrompt, projectPath, onTurnEnd } = await claimWorkSession(
        app,
        runnerCaller(context),
        command,
      );
      return { workSession: workSessionMessage(session), firstPrompt, projectPath, onTurnEnd: onTurnEnds[onTurnEnd] };
    },

    async renewLeases({ runner, ...request }, context) {
      check({ runner, ...request }).done();
      const leases = request.leases.map(({ workSessionId, epoch }) => ({ workSessionId, epoch: epochOf(epoch) }));
      const renewed = await renewLeases(app, runnerCaller(context), { runner, leases });
      const { renewedIds, lostIds, expiresAt } = renewed;
      return { renewedIds: [...renewedIds], lostIds: [...lostIds], expiresAt: timestampFromDate(expiresAt) };
    },

    async releaseWorkSession(request, context) {
      check(request).done();
      const command = { workSessionId: request.id, epoch: epochOf(request.epoch), reason: request.reason };
      return { workSession: workSessionMessage(await releaseWorkSession(app, runnerCaller(context), command)) };
    },
  };
}
