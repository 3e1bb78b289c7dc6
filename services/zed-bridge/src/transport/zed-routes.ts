import type { ConnectRouter } from "@connectrpc/connect";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import type { App } from "../application/app.ts";
import { zedInstanceService } from "./zed-instance-service.ts";
import { zedThreadService } from "./zed-thread-service.ts";

/** The bridge's services. */
export function zedRoutes(app: App): (router: ConnectRouter) => void {
  return (router) => {
    router.service(ZedThreadService, zedThreadService(app));
    router.service(ZedInstanceService, zedInstanceService(app));
  };
}
