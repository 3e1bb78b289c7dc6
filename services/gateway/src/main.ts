import path from "node:path";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { runService, serverCodes } from "@helix-zed/server";
import { gatewaySettings } from "./config.ts";
import { Edge } from "./edge/edge.ts";
import { StaticFiles } from "./edge/static-files.ts";
import { Upstream } from "./edge/upstream.ts";

const dashboardFolder = path.resolve(import.meta.dirname, "../../../apps/dashboard");

await runService({
  name: "gateway",
  settings: gatewaySettings,
  build({ taskUrl, bridgeUrl, corsOrigins }, { log }) {
    const upstreams = [
      new Upstream({
        name: "task-service",
        baseUrl: taskUrl,
        services: [TaskService, WorkSessionService, RunnerService],
      }),
      new Upstream({ name: "zed-bridge", baseUrl: bridgeUrl, services: [ZedThreadService, ZedInstanceService] }),
    ];
    const files = new StaticFiles(dashboardFolder);
    const edge = new Edge({ upstreams, files, corsOrigins: corsOrigins ?? [], log });
    return {
      // It serves no RPC of its own but health and reflection, which need no token.
      routes() {},
      authenticate() {
        throw new Error("the gateway authenticates nobody");
      },
      codes: serverCodes,
      fallback: (request, response) => edge.handle(request, response),
      draining: () => edge.drain(),
      stopped() {
        for (const upstream of upstreams) upstream.close();
      },
    };
  },
});
