import type { Client } from "@connectrpc/connect";
import { TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { TaskReader } from "../application/app.ts";
import { readTask } from "./read-task.ts";

const ends: ReadonlySet<TaskStatus> = new Set([TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED]);

/** Reads tasks from task-service, for whoever asks us. */
export function taskReader({ tasks }: { readonly tasks: Client<typeof TaskService> }): TaskReader {
  return {
    async find(actor, id) {
      const task = await readTask(tasks, actor, id);
      if (task === null) return null;
      const { userId, organizationId, status } = task;
      return { id: task.id, userId, organizationId, ended: ends.has(status) };
    },
  };
}
