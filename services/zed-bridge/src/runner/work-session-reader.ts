import { isWorkSessionOver } from "@helix-zed/client";
import { Code, type Client } from "@connectrpc/connect";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { OnTurnEnd, type WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { actingFor, UpstreamError } from "@helix-zed/server";
import type { WorkSessionReader } from "../application/app.ts";
import { readTask } from "./read-task.ts";
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
        ended: isWorkSessionOver(session),
        projectPath:
          session.environmentConfig?.projectPath || (await readTask(tasks, actor, session.taskId))?.projectPath || "",
        onTurnEnd: onTurnEndOf(session),
        ownCopy: wantedWorkspaceOf(session).isolation === "worktree",
      };
    },
  };
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
