import { type TaskTraits, type WorkSessionTraits } from "../domain/filter/filter-fields.ts";
import type { TaskFacts } from "../domain/task.ts";
import type { WorkSessionFacts } from "../domain/work-session.ts";

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

/** Traits as the log keeps them: times as text. */
export type StoredTraits<Traits extends { readonly createdAt: Date; readonly updatedAt: Date }> = Omit<
  Traits,
  "createdAt" | "updatedAt"
> & { readonly createdAt: string; readonly updatedAt: string };

/** What of a task is kept as its state before a change: all that a filter can ask about. */
export function traitsOfTask(task: TaskFacts): TaskTraits {
  const { status, taskType, priority, userId, appId, name, createdAt, updatedAt } = task;
  return { status, taskType, priority, userId, appId, name, createdAt, updatedAt };
}

/** What of a work session is kept as its state before a change. */
export function traitsOfWorkSession(session: WorkSessionFacts): WorkSessionTraits {
  const { status, taskType, priority, userId, appId, name, createdAt, updatedAt } = session;
  const { agentType, helixSessionId, runner } = session;
  return {
    status,
    taskType,
    priority,
    userId,
    appId,
    name,
    createdAt,
    updatedAt,
    agentType,
    helixSessionId,
    runner,
  };
}

/** Traits as they were before they were stored. */
export function traitsFrom<Traits extends { readonly createdAt: string; readonly updatedAt: string }>(
  stored: Traits | null,
): (Omit<Traits, "createdAt" | "updatedAt"> & { readonly createdAt: Date; readonly updatedAt: Date }) | null {
  return stored && { ...stored, createdAt: new Date(stored.createdAt), updatedAt: new Date(stored.updatedAt) };
}
