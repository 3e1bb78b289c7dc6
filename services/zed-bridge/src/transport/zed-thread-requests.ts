import { type Actor, Refusal } from "@helix-zed/domain";
import {
  type AnswerPermissionRequest,
  type CreateZedThreadRequest,
  PermissionDecision as WireDecision,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import type { AnswerPermission } from "../application/answer-permission.ts";
import type { App, FoundWorkSession } from "../application/app.ts";
import type { CreateZedThread } from "../application/create-zed-thread.ts";
import { resolvePlace } from "../application/resolve-place.ts";
import { sessionNotFound } from "../application/thread-view.ts";
import type { PermissionDecision } from "../domain/permission-request.ts";
import type { Reason } from "../domain/reason.ts";

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
  const wanted = { taskId: session.taskId, projectPath: pathIsWish ? projectPath : session.projectPath };
  return { session, projectPath: await resolvePlace(app, wanted), pathIsWish, workspaceConfig };
}

const decisions: Record<WireDecision, PermissionDecision> = {
  // Refused by the request's rules.
  [WireDecision.UNSPECIFIED]: "reject",
  [WireDecision.ALLOW_ONCE]: "allow_once",
  [WireDecision.ALLOW_ALWAYS]: "allow_always",
  [WireDecision.REJECT]: "reject",
};

/** What a caller answers to a request for permission. */
export function answerCommand({ workSessionId, permissionId, answer }: AnswerPermissionRequest): AnswerPermission {
  const target = { workSessionId, permissionId };
  if (answer.case === "optionId") return { ...target, answer: { optionId: answer.value } };
  // One of the two is there, and a decision that has a name: the request's rules say so.
  return { ...target, answer: { decision: decisions[answer.value ?? WireDecision.REJECT] ?? "reject" } };
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
