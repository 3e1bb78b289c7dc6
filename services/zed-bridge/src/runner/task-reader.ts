import { Code, type Client } from "@connectrpc/connect";
import { TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { actingFor, UpstreamError } from "@helix-zed/server";
import type { TaskReader } from "../application/app.ts";

const CALL_TIMEOUT_MS = 10_000;

const ends: ReadonlySet<TaskStatus> = new Set([TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED]);

/** Reads tasks from task-service, for whoever asks us. */
export function taskReader({ tasks }: { readonly tasks: Client<typeof TaskService> }): TaskReader {
  return {
    async find(actor, id) {
      try {
        const { task } = await tasks.getTask({ id }, { ...actingFor(actor), timeoutMs: CALL_TIMEOUT_MS });
        if (task === undefined) return null;
        const { userId, organizationId, status } = task;
        return { id: task.id, userId, organizationId, ended: ends.has(status) };
      } catch (error) {
        if (error instanceof UpstreamError && error.code === Code.NotFound) return null;
        throw error;
      }
    },
  };
}
