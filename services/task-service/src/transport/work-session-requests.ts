import type { JsonObject } from "@bufbuild/protobuf";
import type {
  AgentConfig as AgentConfigMessage,
  EnvironmentConfig as EnvironmentConfigMessage,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type {
  CreateWorkSessionRequest,
  ListWorkSessionsRequest,
  UpdateWorkSessionStatusRequest,
  WatchWorkSessionsRequest,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { CreateWorkSession } from "../application/create-work-session.ts";
import type { ListWorkSessions } from "../application/list-work-sessions.ts";
import { defaultAgentType, type NewWorkSession } from "../application/new-work-session.ts";
import {
  reportedActions,
  type ReportedStatus,
  type UpdateWorkSessionStatus,
} from "../application/update-work-session-status.ts";
import type { WatchWorkSessions } from "../application/watch-work-sessions.ts";
import { workSessionFields } from "../domain/filter/filter-fields.ts";
import type { AgentConfig, EnvironmentConfig } from "../domain/work-session.ts";
import { optional } from "./optional.ts";
import type { RequestCheck } from "./request-check.ts";
import { isolations, onTurnEnds, permissionPolicies, wordOf, workSessionStatuses } from "./wire-enums.ts";

/** What is asked for in a new work session. */
export interface AskedWorkSession {
  readonly name: string;
  readonly description: string;
  readonly agentType: string;
  readonly agentConfig?: AgentConfigMessage | undefined;
  readonly environmentConfig?: EnvironmentConfigMessage | undefined;
}

/** The part that all requests for new work sessions share, checked; `prefix` is where in the request it stands. */
export function newWorkSession(asked: AskedWorkSession, check: RequestCheck, prefix = ""): NewWorkSession {
  return {
    name: asked.name,
    description: asked.description,
    agentType: check.agentType(`${prefix}agent_type`, asked.agentType || defaultAgentType),
    agentConfig: agentConfig(asked.agentConfig, check, `${prefix}agent_config`),
    environmentConfig: environmentConfig(asked.environmentConfig, check, `${prefix}environment_config`),
  };
}

function agentConfig(message: AgentConfigMessage | undefined, check: RequestCheck, field: string): AgentConfig | null {
  if (message === undefined) return null;
  return {
    ...optional("prompt", message.prompt || null),
    ...optional("on_turn_end", wordOf(onTurnEnds, message.onTurnEnd)),
    ...optional("model", message.model || null),
    ...optional("mode", message.mode || null),
    ...optional("permission_policy", wordOf(permissionPolicies, message.permissionPolicy)),
    ...optional("extra", check.config(`${field}.extra`, message.extra)),
  };
}

function environmentConfig(
  message: EnvironmentConfigMessage | undefined,
  check: RequestCheck,
  field: string,
): EnvironmentConfig | null {
  if (message === undefined) return null;
  const extra: JsonObject | undefined = message.extra;
  return {
    ...optional("project_path", check.path(`${field}.project_path`, message.projectPath) || null),
    ...optional("isolation", wordOf(isolations, message.isolation)),
    ...optional("setup_command", message.setupCommand.length === 0 ? null : message.setupCommand),
    ...optional("base_branch", message.baseBranch || null),
    ...optional("extra", check.config(`${field}.extra`, extra)),
  };
}

/** A request for a new work session, checked. */
export function createWorkSessionCommand(request: CreateWorkSessionRequest, check: RequestCheck): CreateWorkSession {
  const command = {
    ...newWorkSession(request, check),
    taskId: request.taskId,
    helixSessionId: request.helixSessionId || null,
    parentWorkSessionId: request.parentWorkSessionId || null,
    spawnedBySessionId: request.spawnedBySessionId || null,
    requestId: request.requestId || null,
  };
  check.done();
  return command;
}

/** A request for a work session's next status, checked. */
export function updateWorkSessionStatusCommand(
  request: UpdateWorkSessionStatusRequest,
  check: RequestCheck,
): UpdateWorkSessionStatus {
  const status = wordOf(workSessionStatuses, request.status);
  if (!isReported(status)) check.add("status", "must be active, completed, failed or cancelled");
  const { summary = "", error = "" } = request.result ?? {};
  const result = summary === "" && error === "" ? null : { summary, error };
  if (result !== null && status === "active") check.add("result", "belongs to the end of a session");
  const expected = check.etag(request.etag);
  check.done();
  return {
    workSessionId: request.id,
    status: isReported(status) ? status : "active",
    reason: request.reason,
    result,
    ...expected,
    ...(request.leaseEpoch === 0n ? {} : { leaseEpoch: epochOf(request.leaseEpoch) }),
  };
}

/** An epoch as a number; one that no lease can have stays one that no lease has. */
export function epochOf(epoch: bigint): number {
  return Math.min(Number(epoch), Number.MAX_SAFE_INTEGER);
}

function isReported(status: string | undefined): status is ReportedStatus {
  return status !== undefined && Object.hasOwn(reportedActions, status);
}

/** A request for a page of a task's work sessions, checked. */
export function listWorkSessionsCommand(request: ListWorkSessionsRequest, check: RequestCheck): ListWorkSessions {
  const { taskId, pageSize, pageToken } = request;
  const where = check.filter(request.filter, workSessionFields);
  const orderBy = check.orderBy(request.orderBy, workSessionFields);
  check.done();
  return { taskId, pageSize, pageToken, where, orderBy };
}

/** A request to watch work sessions, checked. */
export function watchWorkSessionsCommand(request: WatchWorkSessionsRequest, check: RequestCheck): WatchWorkSessions {
  const { taskId, agentTypes, resumeToken } = request;
  const statuses = request.statuses.flatMap((status) => wordOf(workSessionStatuses, status) ?? []);
  const where = check.filter(request.filter, workSessionFields);
  check.done();
  return { taskId: taskId || null, agentTypes, statuses, ...optional("where", where), resumeToken };
}
