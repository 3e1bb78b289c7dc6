import type { TaskFacts } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";

/** What a filter of a watch can ask of a task; kept in the log for what the task was before a change. */
export type TaskTraits = Pick<TaskFacts, "status" | "taskType" | "priority" | "userId" | "appId" | "name">;

/** The same of a work session. */
export type WorkSessionTraits = Pick<WorkSessionFacts, "status" | "agentType" | "helixSessionId" | "runner" | "name">;

interface ChangeFacts {
  /** Its number: dense, and in the order of commits. */
  readonly seq: number;
  /** The row's own id, which it has before it has a number. */
  readonly id: number;
  readonly tenant: string;
  readonly refId: string;
  readonly taskId: string;
}

/** What happened to a task: `before` is null for a new one, `after` for a deleted one. */
export interface TaskChange extends ChangeFacts {
  readonly kind: "task";
  readonly before: TaskTraits | null;
  readonly after: TaskFacts | null;
}

/** What happened to a work session. */
export interface WorkSessionChange extends ChangeFacts {
  readonly kind: "work_session";
  readonly before: WorkSessionTraits | null;
  readonly after: WorkSessionFacts | null;
}

/** A numbered fact in the log. */
export type Change = TaskChange | WorkSessionChange;

/** What of a task is kept as its state before a change. */
export function traitsOfTask({ status, taskType, priority, userId, appId, name }: TaskFacts): TaskTraits {
  return { status, taskType, priority, userId, appId, name };
}

/** What of a work session is kept as its state before a change. */
export function traitsOfWorkSession(session: WorkSessionFacts): WorkSessionTraits {
  const { status, agentType, helixSessionId, runner, name } = session;
  return { status, agentType, helixSessionId, runner, name };
}
