import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchTasksResponseSchema } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { WatchWorkSessionsResponseSchema } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { WatchMessage } from "../application/watch.ts";
import type { WatchedResource } from "../persistence/watch-snapshot.ts";
import { taskMessage } from "./task-messages.ts";
import { workSessionMessage } from "./work-session-messages.ts";

/** A message of WatchTasks. */
export function watchTasksResponse({
  event,
  resumeToken,
}: WatchMessage): MessageInitShape<typeof WatchTasksResponseSchema> {
  if (event.kind === "changed") {
    return { resumeToken, event: { case: "changed", value: { resource: changedResource(event.resource) } } };
  }
  if (event.kind === "deleted") {
    const kind = event.resourceKind === "task" ? "taskId" : "workSessionId";
    return { resumeToken, event: { case: "deleted", value: { resource: { case: kind, value: event.id } } } };
  }
  return { resumeToken, event: { case: event.kind, value: {} } };
}

function changedResource(resource: WatchedResource) {
  return resource.kind === "task"
    ? ({ case: "task", value: taskMessage(resource.task) } as const)
    : ({ case: "workSession", value: workSessionMessage(resource.workSession) } as const);
}

/** A message of WatchWorkSessions. */
export function watchWorkSessionsResponse({
  event,
  resumeToken,
}: WatchMessage): MessageInitShape<typeof WatchWorkSessionsResponseSchema> {
  if (event.kind === "changed") {
    if (event.resource.kind !== "work_session") throw new Error("Only work sessions are watched here.");
    const workSession = workSessionMessage(event.resource.workSession);
    return { resumeToken, event: { case: "changed", value: { workSession } } };
  }
  if (event.kind === "deleted") {
    const { id: workSessionId, taskId, isGone: gone } = event;
    return { resumeToken, event: { case: "deleted", value: { workSessionId, taskId, gone } } };
  }
  return { resumeToken, event: { case: event.kind, value: {} } };
}
