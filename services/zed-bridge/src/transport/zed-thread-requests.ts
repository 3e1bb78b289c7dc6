import { type Actor, Refusal } from "@helix-zed/domain";
import type { CreateZedThreadRequest } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import type { App, FoundWorkSession } from "../application/app.ts";
import type { CreateZedThread } from "../application/create-zed-thread.ts";
import { sessionNotFound } from "../application/thread-view.ts";
import type { Reason } from "../domain/reason.ts";
import { resolveProjectPath } from "../workspace/resolve-project-path.ts";

const WORKSPACE_CONFIG_BYTES_MAX = 16 * 1024;

/** What a caller wants of a new thread, with what only task-service and the file system know of it. */
export async function createZedThreadCommand(
  app: App,
  actor: Actor,
  { workSessionId, projectPath, workspaceConfig = {} }: CreateZedThreadRequest,
): Promise<CreateZedThread> {
  requireSmall(workspaceConfig);
  const session = await requireLiveSession(app, actor, workSessionId);
  const pathIsWish = projectPath !== "";
  const realPath = await resolveProjectPath(pathIsWish ? projectPath : session.projectPath, app.roots);
  return { session, projectPath: realPath, pathIsWish, workspaceConfig };
}

async function requireLiveSession(app: App, actor: Actor, workSessionId: string): Promise<FoundWorkSession> {
  const session = await app.workSessions.find(actor, workSessionId);
  if (session === null) throw sessionNotFound(workSessionId);
  if (!session.ended) return session;
  const metadata = { work_session_id: workSessionId };
  throw new Refusal<Reason>("WORK_SESSION_ENDED", "The work session has ended: it gets no thread any more.", metadata);
}

function requireSmall(workspaceConfig: object): void {
  if (Buffer.byteLength(JSON.stringify(workspaceConfig)) <= WORKSPACE_CONFIG_BYTES_MAX) return;
  const description = "is longer than 16 KiB as JSON";
  const violations = [{ field: "workspace_config", description }];
  throw new Refusal<Reason>("WORKSPACE_CONFIG_TOO_LARGE", `workspace_config ${description}.`, {}, { violations });
}
