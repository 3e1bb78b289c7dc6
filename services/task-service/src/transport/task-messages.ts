import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { availableActions } from "@helix-zed/domain";
import type { TaskSchema } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskFacts } from "../domain/task.ts";
import { taskLifecycle } from "../domain/task-lifecycle.ts";
import { optional } from "./optional.ts";
import { taskActions, taskStatuses, taskTypes } from "./wire-enums.ts";

/** A task as everybody sees it: in answers, lists and watches. */
export function taskMessage(task: TaskFacts): MessageInitShape<typeof TaskSchema> {
  return {
    id: task.id,
    name: task.name,
    description: task.description,
    taskType: taskTypes[task.taskType],
    status: taskStatuses[task.status],
    statusReason: task.statusReason,
    statusChangedAt: timestampFromDate(task.statusChangedAt),
    priority: task.priority,
    userId: task.userId,
    organizationId: task.organizationId,
    appId: task.appId,
    projectPath: task.projectPath,
    ...optional("config", task.config),
    coordinatorSessionId: task.coordinatorSessionId,
    availableActions: availableActions(taskLifecycle, task.status).map((action) => taskActions[action]),
    etag: etagOf(task),
    createdAt: timestampFromDate(task.createdAt),
    updatedAt: timestampFromDate(task.updatedAt),
    ...optional("startedAt", task.startedAt && timestampFromDate(task.startedAt)),
    ...optional("completedAt", task.completedAt && timestampFromDate(task.completedAt)),
  };
}

/** The etag of a version. */
export function etagOf({ version }: { readonly version: number }): string {
  return `"${version}"`;
}
