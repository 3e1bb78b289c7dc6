import { Code, type Client } from "@connectrpc/connect";
import { type Actor, principalOf, Refusal } from "@helix-zed/domain";
import type { Task } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { actingFor, type ServerReason, UpstreamError } from "@helix-zed/server";

const CALL_TIMEOUT_MS = 10_000;

/**
 * A task as its reader may see it; `null` if there is none. Tasks are shown to those that they belong to: a service that
 * asks for nobody is refused with ACTS_FOR_MISSING.
 */
export async function readTask(tasks: Client<typeof TaskService>, actor: Actor, id: string): Promise<Task | null> {
  if (principalOf(actor) === null) {
    throw new Refusal<ServerReason>("ACTS_FOR_MISSING", "The call must name the user that it is made for.");
  }
  try {
    const { task } = await tasks.getTask({ id }, { ...actingFor(actor), timeoutMs: CALL_TIMEOUT_MS });
    return task ?? null;
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Code.NotFound) return null;
    throw error;
  }
}
