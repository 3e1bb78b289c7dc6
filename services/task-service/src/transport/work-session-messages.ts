import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { availableActions } from "@helix-zed/domain";
import type {
  AgentConfigSchema,
  EnvironmentConfigSchema,
  LeaseSchema,
  WorkSessionSchema,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { AgentConfig, EnvironmentConfig, WorkSessionFacts } from "../domain/work-session.ts";
import { workSessionLifecycle, type WorkSessionStatus } from "../domain/work-session-lifecycle.ts";
import { optional } from "./optional.ts";
import { etagOf } from "./task-messages.ts";
import {
  isolations,
  onTurnEnds,
  permissionPolicies,
  taskTypes,
  workSessionActions,
  workSessionStatuses,
} from "./wire-enums.ts";

/** A work session as everybody sees it: in answers, lists and watches. */
export function workSessionMessage(session: WorkSessionFacts): MessageInitShape<typeof WorkSessionSchema> {
  return {
    id: session.id,
    taskId: session.taskId,
    helixSessionId: session.helixSessionId,
    name: session.name,
    description: session.description,
    agentType: session.agentType,
    status: workSessionStatuses[session.status],
    statusReason: session.statusReason,
    statusChangedAt: timestampFromDate(session.statusChangedAt),
    parentWorkSessionId: session.parentWorkSessionId ?? "",
    spawnedBySessionId: session.spawnedBySessionId ?? "",
    ...optional("agentConfig", session.agentConfig && agentConfigMessage(session.agentConfig)),
    ...optional("environmentConfig", session.environmentConfig && environmentMessage(session.environmentConfig)),
    ...optional("lease", leaseMessage(session)),
    attempt: session.attempt,
    ...optional("result", session.result),
    userId: session.userId,
    organizationId: session.organizationId,
    taskType: taskTypes[session.taskType],
    priority: session.priority,
    appId: session.appId,
    availableActions: actionsOf(session.status),
    etag: etagOf(session),
    createdAt: timestampFromDate(session.createdAt),
    updatedAt: timestampFromDate(session.updatedAt),
    ...optional("startedAt", session.startedAt && timestampFromDate(session.startedAt)),
    ...optional("completedAt", session.completedAt && timestampFromDate(session.completedAt)),
  };
}

function actionsOf(status: WorkSessionStatus) {
  return availableActions(workSessionLifecycle, status).flatMap((action) => workSessionActions[action] ?? []);
}

function leaseMessage({ runner, leaseEpoch, leaseExpiresAt }: WorkSessionFacts) {
  if (runner === null || leaseExpiresAt === null) return null;
  const lease: MessageInitShape<typeof LeaseSchema> = {
    runner,
    epoch: BigInt(leaseEpoch),
    expiresAt: timestampFromDate(leaseExpiresAt),
  };
  return lease;
}

function agentConfigMessage(config: AgentConfig): MessageInitShape<typeof AgentConfigSchema> {
  const { prompt = "", model = "", mode = "", on_turn_end, permission_policy, extra } = config;
  return {
    prompt,
    model,
    mode,
    ...optional("onTurnEnd", on_turn_end && onTurnEnds[on_turn_end]),
    ...optional("permissionPolicy", permission_policy && permissionPolicies[permission_policy]),
    ...optional("extra", extra),
  };
}

function environmentMessage(config: EnvironmentConfig): MessageInitShape<typeof EnvironmentConfigSchema> {
  const { project_path: projectPath = "", base_branch: baseBranch = "", setup_command = [], isolation, extra } = config;
  return {
    projectPath,
    baseBranch,
    setupCommand: [...setup_command],
    ...optional("isolation", isolation && isolations[isolation]),
    ...optional("extra", extra),
  };
}
