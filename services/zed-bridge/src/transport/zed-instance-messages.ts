import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  ZedInstanceStatus as WireStatus,
  type ZedInstanceSchema,
} from "@helix-zed/gen/helix/zed/v1/zed_instance_pb.ts";
import type { InstanceStatus, ZedInstance } from "../domain/zed-instance.ts";

const statuses: Record<InstanceStatus, WireStatus> = {
  starting: WireStatus.STARTING,
  running: WireStatus.RUNNING,
  restarting: WireStatus.RESTARTING,
  stopped: WireStatus.STOPPED,
  failed: WireStatus.FAILED,
};

/** An instance as callers see it. */
export function instanceMessage(instance: ZedInstance): MessageInitShape<typeof ZedInstanceSchema> {
  return {
    id: instance.id,
    taskId: instance.taskId,
    workingDirectory: instance.workingDirectory,
    launchTarget: instance.launchTarget,
    status: statuses[instance.status],
    statusReason: instance.statusReason,
    pid: instance.pid ?? 0,
    connected: instance.connected,
    restartCount: instance.restartCount,
    lastLogLines: instance.lastLogLines,
    runner: instance.runner,
    presentedId: instance.presentedId ?? instance.id,
    wanted: instance.desired === "running",
    createdAt: timestampFromDate(instance.createdAt),
    updatedAt: timestampFromDate(instance.updatedAt),
    ...(instance.startedAt === null ? {} : { startedAt: timestampFromDate(instance.startedAt) }),
  };
}
