import type {
  CreateTaskRequest,
  DeleteTaskRequest,
  InitialWorkSession,
  ListTasksRequest,
  UpdateTaskStatusRequest,
  WatchTasksRequest,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { CreateTask } from "../application/create-task.ts";
import type { DeleteTask } from "../application/delete-task.ts";
import type { NewWorkSession } from "../application/new-work-session.ts";
import type { ListOptions } from "../application/page-tokens.ts";
import type { UpdateTaskStatus } from "../application/update-task-status.ts";
import type { WatchTasks } from "../application/watch-tasks.ts";
import { taskFields } from "../domain/filter/filter-fields.ts";
import type { TaskAction, TaskStatus } from "../domain/task-lifecycle.ts";
import { optional } from "./optional.ts";
import type { RequestCheck } from "./request-check.ts";
import { taskStatuses, taskTypes, wordOf } from "./wire-enums.ts";
import { newWorkSession } from "./work-session-requests.ts";

/** A request for a new task, checked. */
export function createTaskCommand(request: CreateTaskRequest, check: RequestCheck): CreateTask {
  const taskType = wordOf(taskTypes, request.taskType);
  if (taskType === undefined) check.add("task_type", "must be interactive, batch or coding_session");
  const command = {
    name: request.name,
    description: request.description,
    taskType: taskType ?? "batch",
    priority: request.priority,
    appId: request.appId,
    projectPath: check.path("project_path", request.projectPath),
    config: check.config("config", request.config),
    workSessions: initialWorkSessions(request.workSessions, check),
    requestId: request.requestId === "" ? null : request.requestId,
  };
  check.done();
  return command;
}

function initialWorkSessions(asked: readonly InitialWorkSession[], check: RequestCheck): NewWorkSession[] {
  const names = new Set<string>();
  return asked.map((session, index) => {
    const field = `work_sessions[${index}]`;
    if (names.has(session.name)) check.add(`${field}.name`, "must be unique within the request");
    names.add(session.name);
    return newWorkSession(session, check, `${field}.`);
  });
}

const actions: Readonly<Record<TaskStatus, TaskAction | null>> = {
  pending: null,
  active: "activate",
  completed: "complete",
  failed: "fail",
  cancelled: "cancel",
};

/** A request for a task's next status, checked. */
export function updateTaskStatusCommand(request: UpdateTaskStatusRequest, check: RequestCheck): UpdateTaskStatus {
  const status = wordOf(taskStatuses, request.status);
  const action = status === undefined ? null : actions[status];
  if (action === null) check.add("status", "must be active, completed, failed or cancelled");
  const expected = check.etag(request.etag);
  check.done();
  return { taskId: request.id, action: action ?? "activate", reason: request.reason, ...expected };
}

/** A request to delete a task, checked. */
export function deleteTaskCommand(request: DeleteTaskRequest, check: RequestCheck): DeleteTask {
  const expected = check.etag(request.etag);
  check.done();
  return { taskId: request.id, ...expected };
}

/** A request for a page of tasks, checked. */
export function listTasksCommand(request: ListTasksRequest, check: RequestCheck): ListOptions {
  const { pageSize, pageToken } = request;
  const where = check.filter(request.filter, taskFields);
  const orderBy = check.orderBy(request.orderBy, taskFields);
  check.done();
  return { pageSize, pageToken, where, orderBy };
}

/** A request to watch tasks, checked. */
export function watchTasksCommand(request: WatchTasksRequest, check: RequestCheck): WatchTasks {
  const { taskIds, includeWorkSessions, resumeToken } = request;
  const statuses = request.statuses.flatMap((status) => wordOf(taskStatuses, status) ?? []);
  if (includeWorkSessions && statuses.length > 0) {
    check.add("statuses", "cannot be combined with include_work_sessions");
  }
  const where = check.filter(request.filter, taskFields);
  if (includeWorkSessions && where !== null) check.add("filter", "cannot be combined with include_work_sessions");
  check.done();
  return { taskIds, statuses, ...optional("where", where), includeWorkSessions, resumeToken };
}
