import type { Owner } from "../domain/owner.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { AgentConfig, EnvironmentConfig, WorkSessionFacts } from "../domain/work-session.ts";

/** The kind of agent of sessions that name none. */
export const defaultAgentType = "zed_agent";

/** What is asked for in a new work session. */
export interface NewWorkSession {
  readonly name: string;
  readonly description: string;
  readonly agentType: string;
  readonly agentConfig: AgentConfig | null;
  readonly environmentConfig: EnvironmentConfig | null;
}

/** What a new work session is beyond what was asked for. */
export interface WorkSessionOrigin {
  readonly id: string;
  readonly helixSessionId: string;
  readonly task: Pick<TaskFacts, "id" | "taskType" | "priority" | "appId"> & Owner;
  readonly now: Date;
  readonly parentWorkSessionId?: string | null;
  readonly spawnedBySessionId?: string | null;
}

/** A work session as it begins: pending, and nobody's. */
export function newWorkSession(asked: NewWorkSession, origin: WorkSessionOrigin): Omit<WorkSessionFacts, "version"> {
  const { id, helixSessionId, task, now, parentWorkSessionId = null, spawnedBySessionId = null } = origin;
  const { tenant, userId, organizationId, taskType, priority, appId } = task;
  return {
    ...asked,
    id,
    tenant,
    userId,
    organizationId,
    taskId: task.id,
    taskType,
    priority,
    appId,
    helixSessionId,
    parentWorkSessionId,
    spawnedBySessionId,
    status: "pending",
    statusReason: "",
    statusChangedAt: now,
    runner: null,
    leaseEpoch: 0,
    leaseExpiresAt: null,
    attempt: 0,
    result: null,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    completedAt: null,
  };
}
