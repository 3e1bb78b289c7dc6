// A change is seen by many watchers of a process. Its resource is put into a message once for all of them, and the whole
// answer once for those who watch the same things.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TaskSchema } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { WatchTasksResponseSchema } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { WorkSessionSchema } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { WatchWorkSessionsResponseSchema } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { WatchMessage } from "../application/watch.ts";
import type { WatchedResource } from "../persistence/watch-snapshot.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";
import { onceForEach } from "./once-for-each.ts";
import { taskMessage } from "./task-messages.ts";
import { workSessionMessage } from "./work-session-messages.ts";

const taskOnce = onceForEach((task: TaskFacts) => create(TaskSchema, taskMessage(task)));
const workSessionOnce = onceForEach((session: WorkSessionFacts) =>
  create(WorkSessionSchema, workSessionMessage(session)),
);

/** A message of WatchTasks. */
export const watchTasksResponse = onceForEach((message: WatchMessage) =>
  create(WatchTasksResponseSchema, ofTasks(message)),
);

/** A message of WatchWorkSessions. */
export const watchWorkSessionsResponse = onceForEach((message: WatchMessage) =>
  create(WatchWorkSessionsResponseSchema, ofWorkSessions(message)),
);

function ofTasks({ event, resumeToken }: WatchMessage): MessageInitShape<typeof WatchTasksResponseSchema> {
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
    ? ({ case: "task", value: taskOnce(resource.task) } as const)
    : ({ case: "workSession", value: workSessionOnce(resource.workSession) } as const);
}

function ofWorkSessions({
  event,
  resumeToken,
}: WatchMessage): MessageInitShape<typeof WatchWorkSessionsResponseSchema> {
  if (event.kind === "changed") {
    if (event.resource.kind !== "work_session") throw new Error("Only work sessions are watched here.");
    const workSession = workSessionOnce(event.resource.workSession);
    return { resumeToken, event: { case: "changed", value: { workSession } } };
  }
  if (event.kind === "deleted") {
    const { id: workSessionId, taskId, isGone: gone } = event;
    return { resumeToken, event: { case: "deleted", value: { workSessionId, taskId, gone } } };
  }
  return { resumeToken, event: { case: event.kind, value: {} } };
}
