import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import type { App } from "../application/app.ts";
import { bindHelixSession } from "../application/bind-helix-session.ts";
import { claimWorkSession } from "../application/claim-work-session.ts";
import { releaseWorkSession } from "../application/release-work-session.ts";
import { renewLeases } from "../application/renew-leases.ts";
import { runnerCaller } from "./callers.ts";
import { RequestCheck } from "./request-check.ts";
import {
  bindHelixSessionCommand,
  claimWorkSessionCommand,
  releaseWorkSessionCommand,
  renewLeasesCommand,
} from "./runner-requests.ts";
import { onTurnEnds } from "./wire-enums.ts";
import { workSessionMessage } from "./work-session-messages.ts";

/** RunnerService: request in, command through, message out; for runners only. */
export function runnerService(app: App): ServiceImpl<typeof RunnerService> {
  const check = (): RequestCheck => new RequestCheck(app);
  return {
    async claimWorkSession(request, context) {
      const command = claimWorkSessionCommand(request, check());
      const claimed = await claimWorkSession(app, runnerCaller(context), command);
      const { session, firstPrompt, projectPath, onTurnEnd } = claimed;
      return { workSession: workSessionMessage(session), firstPrompt, projectPath, onTurnEnd: onTurnEnds[onTurnEnd] };
    },

    async renewLeases(request, context) {
      const command = renewLeasesCommand(request);
      const { renewedIds, lostIds, expiresAt } = await renewLeases(app, runnerCaller(context), command);
      return { renewedIds: [...renewedIds], lostIds: [...lostIds], expiresAt: timestampFromDate(expiresAt) };
    },

    async releaseWorkSession(request, context) {
      const command = releaseWorkSessionCommand(request, check());
      return { workSession: workSessionMessage(await releaseWorkSession(app, runnerCaller(context), command)) };
    },

    async bindHelixSession(request, context) {
      const command = bindHelixSessionCommand(request, check());
      return { workSession: workSessionMessage(await bindHelixSession(app, runnerCaller(context), command)) };
    },
  };
}
