import type { ConnectRouter } from "@connectrpc/connect";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { App } from "../application/app.ts";
import { WatchQuota } from "../application/watch-quota.ts";
import { runnerService } from "./runner-service.ts";
import { taskService } from "./task-service.ts";
import { workSessionService } from "./work-session-service.ts";

/** All RPC services of the task-service. */
export function taskRoutes(app: App): (router: ConnectRouter) => void {
  const quota = new WatchQuota(app.limits);
  return (router) => {
    router.service(TaskService, taskService(app, quota));
    router.service(WorkSessionService, workSessionService(app, quota));
    router.service(RunnerService, runnerService(app));
  };
}
