import { Code, type Client } from "@connectrpc/connect";
import { type Actor, principalOf, Refusal } from "@helix-zed/domain";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { OnTurnEnd, type WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { actingFor, type ServerReason, UpstreamError } from "@helix-zed/server";
import type { WorkSessionReader } from "../application/app.ts";
import { isFinal } from "./session-end.ts";
import { factsOf } from "./work-session-facts.ts";
import { wantedWorkspaceOf } from "./wanted-workspace.ts";

/** Where work sessions are read. */
export interface WorkSessionReaderOptions {
  readonly tasks: Client<typeof TaskService>;
  readonly workSessions: Client<typeof WorkSessionService>;
}

const CALL_TIMEOUT_MS = 10_000;

/** Reads work sessions from task-service, for whoever asks us. */
export function workSessionReader({ tasks, workSessions }: WorkSessionReaderOptions): WorkSessionReader {
  return {
    async find(actor, id) {
      const options = { ...actingFor(actor), timeoutMs: CALL_TIMEOUT_MS };
      const session = await orNull(workSessions.getWorkSession({ id }, options).then(({ workSession }) => workSession));
      if (session === null) return null;
      return {
        ...factsOf(session),
        ended: isFinal(session.status),
        projectPath: session.environmentConfig?.projectPath || (await taskPath(tasks, session.taskId, actor)),
        onTurnEnd: onTurnEndOf(session),
        ownCopy: wantedWorkspaceOf(session).isolation === "worktree",
      };
    },
  };
}

/** Tasks are shown to those that they belong to: a runner for itself sees work sessions only. */
async function taskPath(tasks: Client<typeof TaskService>, id: string, actor: Actor): Promise<string> {
  if (principalOf(actor) === null) {
    throw new Refusal<ServerReason>("ACTS_FOR_MISSING", "The call must name the user that it is made for.");
  }
  const options = { ...actingFor(actor), timeoutMs: CALL_TIMEOUT_MS };
  const task = await orNull(tasks.getTask({ id }, options).then(({ task: found }) => found));
  return task?.projectPath ?? "";
}

/** As task-service decides it where it hands out a claim. */
function onTurnEndOf({ agentConfig, taskType }: WorkSession): "complete" | "idle" {
  const chosen = agentConfig?.onTurnEnd ?? OnTurnEnd.UNSPECIFIED;
  if (chosen !== OnTurnEnd.UNSPECIFIED) return chosen === OnTurnEnd.COMPLETE ? "complete" : "idle";
  return taskType === TaskType.BATCH ? "complete" : "idle";
}

async function orNull<T>(found: Promise<T | undefined>): Promise<T | null> {
  try {
    return (await found) ?? null;
  } catch (error) {
    if (error instanceof UpstreamError && error.code === Code.NotFound) return null;
    throw error;
  }
}
