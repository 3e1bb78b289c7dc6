import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type EntrySchema,
  EntryRole as WireRole,
  EntryType as WireType,
  PermissionOptionKind as WireOptionKind,
  type PermissionRequestSchema,
  type TokenUsageSchema,
  type TurnDeliverySchema,
  TurnOrigin as WireOrigin,
  type TurnSchema,
  TurnStatus as WireTurnStatus,
  type ZedThreadSchema,
  type WorkspaceSchema,
  WorkspaceStatus as WireWorkspaceStatus,
  ZedThreadStatus as WireThreadStatus,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { PermissionOptionKind, TokenUsage } from "@helix-zed/sync-protocol";
import type { ThreadView } from "../application/thread-view.ts";
import type { TurnView } from "../application/turn-view.ts";
import type { PermissionRequest } from "../domain/permission-request.ts";
import type { EntryRole, EntryType, ThreadEntry } from "../domain/thread-entry.ts";
import type { ThreadStatus } from "../domain/thread-mapping.ts";
import type { Workspace, WorkspaceStatus } from "../domain/workspace.ts";
import type { Turn, TurnOrigin, TurnStatus } from "../domain/turn.ts";

const threadStatuses: Record<ThreadStatus, WireThreadStatus> = {
  pending: WireThreadStatus.PENDING,
  active: WireThreadStatus.ACTIVE,
  disconnected: WireThreadStatus.DISCONNECTED,
  completed: WireThreadStatus.COMPLETED,
  failed: WireThreadStatus.FAILED,
};

const workspaceStatuses: Record<WorkspaceStatus, WireWorkspaceStatus> = {
  ready: WireWorkspaceStatus.READY,
  kept: WireWorkspaceStatus.KEPT,
  removed: WireWorkspaceStatus.REMOVED,
};

const turnStatuses: Record<TurnStatus, WireTurnStatus> = {
  queued: WireTurnStatus.QUEUED,
  sent: WireTurnStatus.SENT,
  running: WireTurnStatus.RUNNING,
  waiting: WireTurnStatus.WAITING,
  completed: WireTurnStatus.COMPLETED,
  failed: WireTurnStatus.FAILED,
  interrupted: WireTurnStatus.INTERRUPTED,
};

const roles: Record<EntryRole, WireRole> = { user: WireRole.USER, assistant: WireRole.ASSISTANT };
const types: Record<EntryType, WireType> = { text: WireType.TEXT, tool_call: WireType.TOOL_CALL };

const origins: Record<TurnOrigin, WireOrigin> = { caller: WireOrigin.CALLER, editor: WireOrigin.EDITOR };

const optionKinds: Record<PermissionOptionKind, WireOptionKind> = {
  "": WireOptionKind.UNSPECIFIED,
  allow_once: WireOptionKind.ALLOW_ONCE,
  allow_always: WireOptionKind.ALLOW_ALWAYS,
  reject_once: WireOptionKind.REJECT_ONCE,
  reject_always: WireOptionKind.REJECT_ALWAYS,
};

/** A thread as callers see it. */
export function threadMessage(view: ThreadView): MessageInitShape<typeof ZedThreadSchema> {
  const { mapping, latestTurn: turn, permissionRequests, queuedTurnCount } = view;
  return {
    id: mapping.id,
    workSessionId: mapping.workSessionId,
    taskId: mapping.taskId,
    zedSessionId: mapping.zedSessionId,
    zedThreadId: mapping.zedThreadId ?? "",
    projectPath: mapping.projectPath,
    workspaceConfig: mapping.workspaceConfig,
    agentName: mapping.agentName,
    status: threadStatuses[mapping.status],
    statusReason: mapping.statusReason,
    statusChangedAt: timestampFromDate(mapping.statusChangedAt),
    ...(turn === null ? {} : { latestTurn: turnMessage({ turn, permissionRequests }) }),
    queuedTurnCount,
    ...(mapping.lastActivityAt === null ? {} : { lastActivityAt: timestampFromDate(mapping.lastActivityAt) }),
    etag: `"${mapping.version}"`,
    createdAt: timestampFromDate(mapping.createdAt),
    updatedAt: timestampFromDate(mapping.updatedAt),
    title: mapping.title,
    ...(mapping.usage === null ? {} : { usage: usageMessage(mapping.usage) }),
    ...(mapping.workspace === null ? {} : { workspace: workspaceMessage(mapping.workspace) }),
  };
}

function workspaceMessage(workspace: Workspace): MessageInitShape<typeof WorkspaceSchema> {
  const { repository, root, branch, baseCommit, status, statusReason } = workspace;
  return { repository, root, branch, baseCommit, status: workspaceStatuses[status], statusReason };
}

/** A turn as callers see it. */
export function turnMessage({ turn, permissionRequests }: TurnView): MessageInitShape<typeof TurnSchema> {
  return {
    id: turn.id,
    zedThreadMappingId: turn.mappingId,
    number: turn.number,
    message: turn.message,
    interrupt: turn.interrupt,
    status: turnStatuses[turn.status],
    statusReason: turn.statusReason,
    error: turn.error,
    stalled: turn.stalled,
    attempt: turn.attempt,
    ...(turn.usage === null ? {} : { usage: usageMessage(turn.usage) }),
    createdAt: timestampFromDate(turn.createdAt),
    ...(turn.sentAt === null ? {} : { sentAt: timestampFromDate(turn.sentAt) }),
    ...(turn.startedAt === null ? {} : { startedAt: timestampFromDate(turn.startedAt) }),
    ...(turn.completedAt === null ? {} : { completedAt: timestampFromDate(turn.completedAt) }),
    permissionRequests: permissionRequests.map(permissionMessage),
    origin: origins[turn.origin],
    delivery: deliveryMessage(turn),
  };
}

function deliveryMessage(turn: Turn): MessageInitShape<typeof TurnDeliverySchema> {
  const { receivedAt, heardCount, heardAt, heardLast } = turn;
  return {
    ...(receivedAt === null ? {} : { receivedAt: timestampFromDate(receivedAt) }),
    heardCount: BigInt(heardCount),
    ...(heardAt === null ? {} : { heardAt: timestampFromDate(heardAt) }),
    heardLast,
  };
}

function permissionMessage(request: PermissionRequest): MessageInitShape<typeof PermissionRequestSchema> {
  return {
    id: request.id,
    title: request.title,
    toolName: request.toolName,
    options: request.options.map(({ id, name, kind }) => ({ id, name, kind: optionKinds[kind] })),
    requestedAt: timestampFromDate(request.requestedAt),
    expiresAt: timestampFromDate(request.expiresAt),
  };
}

/** An entry as callers see it. */
export function entryMessage(entry: ThreadEntry): MessageInitShape<typeof EntrySchema> {
  return {
    id: entry.id,
    zedThreadMappingId: entry.mappingId,
    turnId: entry.turnId,
    position: entry.position,
    role: roles[entry.role],
    type: types[entry.type],
    content: entry.content,
    toolName: entry.toolName,
    toolStatus: entry.toolStatus,
    version: BigInt(entry.version),
    createdAt: timestampFromDate(entry.createdAt),
    updatedAt: timestampFromDate(entry.updatedAt),
  };
}

function usageMessage(usage: TokenUsage): MessageInitShape<typeof TokenUsageSchema> {
  return {
    totalTokens: BigInt(usage.total_tokens),
    inputTokens: BigInt(usage.input_tokens),
    outputTokens: BigInt(usage.output_tokens),
    thoughtTokens: BigInt(usage.thought_tokens),
    cachedReadTokens: BigInt(usage.cached_read_tokens),
    cachedWriteTokens: BigInt(usage.cached_write_tokens),
  };
}
