import type { ServiceImpl } from "@connectrpc/connect";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { actorOf } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { createWorkSession } from "../application/create-work-session.ts";
import { getWorkSession } from "../application/get-work-session.ts";
import { listWorkSessions } from "../application/list-work-sessions.ts";
import { updateWorkSessionStatus } from "../application/update-work-session-status.ts";
import type { WatchQuota } from "../application/watch-quota.ts";
import { watchWorkSessions } from "../application/watch-work-sessions.ts";
import { tenantCaller } from "./callers.ts";
import { RequestCheck } from "./request-check.ts";
import { watchWorkSessionsResponse } from "./watch-messages.ts";
import { workSessionMessage } from "./work-session-messages.ts";
import {
  createWorkSessionCommand,
  listWorkSessionsCommand,
  updateWorkSessionStatusCommand,
  watchWorkSessionsCommand,
} from "./work-session-requests.ts";

/** WorkSessionService: request in, command through, message out. Runners see the sessions of all tenants here. */
export function workSessionService(app: App, quota: WatchQuota): ServiceImpl<typeof WorkSessionService> {
  const check = (): RequestCheck => new RequestCheck(app);
  return {
    async createWorkSession(request, context) {
      const command = createWorkSessionCommand(request, check());
      return { workSession: workSessionMessage(await createWorkSession(app, tenantCaller(context), command)) };
    },

    async listWorkSessions(request, context) {
      const command = listWorkSessionsCommand(request, check());
      const { items, nextPageToken } = await listWorkSessions(app, actorOf(context), command);
      return { workSessions: items.map(workSessionMessage), nextPageToken };
    },

    async getWorkSession(request, context) {
      const session = await getWorkSession(app, actorOf(context), { workSessionId: request.id });
      return { workSession: workSessionMessage(session) };
    },

    async updateWorkSessionStatus(request, context) {
      const command = updateWorkSessionStatusCommand(request, check());
      return { workSession: workSessionMessage(await updateWorkSessionStatus(app, actorOf(context), command)) };
    },

    async *watchWorkSessions(request, context) {
      const command = watchWorkSessionsCommand(request, check());
      const caller = actorOf(context);
      // oxlint-disable-next-line eslint/no-underscore-dangle -- it is held, not used
      using _place = quota.take(caller, context.signal);
      const messages = watchWorkSessions(app, caller, command, context.signal);
      for await (const message of messages) yield watchWorkSessionsResponse(message);
    },
  };
}
