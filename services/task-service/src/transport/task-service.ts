import type { ServiceImpl } from "@connectrpc/connect";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { App } from "../application/app.ts";
import { createTask } from "../application/create-task.ts";
import { deleteTask } from "../application/delete-task.ts";
import { getTask } from "../application/get-task.ts";
import { listTasks } from "../application/list-tasks.ts";
import { updateTaskStatus } from "../application/update-task-status.ts";
import type { WatchQuota } from "../application/watch-quota.ts";
import { watchTasks } from "../application/watch-tasks.ts";
import { tenantCaller } from "./callers.ts";
import { RequestCheck } from "./request-check.ts";
import { taskMessage } from "./task-messages.ts";
import {
  createTaskCommand,
  deleteTaskCommand,
  listTasksCommand,
  updateTaskStatusCommand,
  watchTasksCommand,
} from "./task-requests.ts";
import { watchTasksResponse } from "./watch-messages.ts";

/** TaskService: request in, command through, message out. */
export function taskService(app: App, quota: WatchQuota): ServiceImpl<typeof TaskService> {
  const check = (): RequestCheck => new RequestCheck(app);
  return {
    async createTask(request, context) {
      const command = createTaskCommand(request, check());
      return { task: taskMessage(await createTask(app, tenantCaller(context), command)) };
    },

    async listTasks(request, context) {
      const command = listTasksCommand(request, check());
      const { items, nextPageToken } = await listTasks(app, tenantCaller(context), command);
      return { tasks: items.map(taskMessage), nextPageToken };
    },

    async getTask(request, context) {
      return { task: taskMessage(await getTask(app, tenantCaller(context), { taskId: request.id })) };
    },

    async updateTaskStatus(request, context) {
      const command = updateTaskStatusCommand(request, check());
      return { task: taskMessage(await updateTaskStatus(app, tenantCaller(context), command)) };
    },

    async deleteTask(request, context) {
      const command = deleteTaskCommand(request, check());
      await deleteTask(app, tenantCaller(context), command);
      return {};
    },

    async *watchTasks(request, context) {
      const command = watchTasksCommand(request, check());
      const caller = tenantCaller(context);
      // oxlint-disable-next-line eslint/no-underscore-dangle -- it is held, not used
      using _place = quota.take(caller, context.signal);
      const messages = watchTasks(app, caller, command, context.signal);
      for await (const message of messages) yield watchTasksResponse(message);
    },
  };
}
