import type { ServiceImpl } from "@connectrpc/connect";
import type { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import { actorOf } from "@helix-zed/server";
import { adoptZedInstance } from "../application/adopt-zed-instance.ts";
import type { App } from "../application/app.ts";
import { type IssuedToken, issueZedInstanceToken } from "../application/issue-zed-instance-token.ts";
import { revokeZedInstanceToken } from "../application/revoke-zed-instance-token.ts";
import { stopZedInstance } from "../application/stop-zed-instance.ts";
import { getZedInstance, listZedInstances } from "../application/zed-instances.ts";
import { absolutePath } from "../workspace/resolve-project-path.ts";
import { instanceMessage } from "./zed-instance-messages.ts";

/** ZedInstanceService: request in, command through, message out. */
export function zedInstanceService(app: App): ServiceImpl<typeof ZedInstanceService> {
  return {
    async listZedInstances(request, context) {
      const { instances, nextPageToken } = await listZedInstances(app, actorOf(context), request);
      return { zedInstances: instances.map(instanceMessage), nextPageToken };
    },
    async getZedInstance(request, context) {
      return { zedInstance: instanceMessage(await getZedInstance(app, actorOf(context), request)) };
    },
    async stopZedInstance(request, context) {
      return { zedInstance: instanceMessage(await stopZedInstance(app, actorOf(context), request)) };
    },
    async adoptZedInstance(request, context) {
      const command = { ...request, workingDirectory: absolutePath(request.workingDirectory) };
      return tokenMessage(await adoptZedInstance(app, actorOf(context), command));
    },
    async issueZedInstanceToken(request, context) {
      return tokenMessage(await issueZedInstanceToken(app, actorOf(context), request));
    },
    async revokeZedInstanceToken(request, context) {
      return { zedInstance: instanceMessage(await revokeZedInstanceToken(app, actorOf(context), request)) };
    },
  };
}

function tokenMessage({ instance, token }: IssuedToken) {
  return { zedInstance: instanceMessage(instance), token };
}
