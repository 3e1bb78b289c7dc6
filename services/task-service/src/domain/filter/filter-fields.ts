// What can be asked of tasks and of work sessions, in filters and in orders
//
// Values are compared as they are stored: words exactly, text byte by byte, numbers and times by size. A field without a
// value (a session that no runner holds) is the empty text, so every comparison is true or false, and NOT turns it around.

import type { TaskFacts } from "../task.ts";
import type { WorkSessionFacts } from "../work-session.ts";

/** How the values of a field are compared. */
export type FieldType = "word" | "text" | "number" | "time";

/** A field: its type, and for words those that there are. */
export interface Field {
  readonly type: FieldType;
  readonly words?: readonly string[];
}

/** The fields of one kind of resource, by their stored names. */
export type Fields<Name extends string = string> = Readonly<Record<Name, Field>>;

const taskTypes = ["interactive", "batch", "coding_session"] satisfies readonly TaskFacts["taskType"][];

const shared = {
  task_type: { type: "word", words: taskTypes },
  priority: { type: "number" },
  user_id: { type: "text" },
  app_id: { type: "text" },
  name: { type: "text" },
  created_at: { type: "time" },
  updated_at: { type: "time" },
} as const satisfies Fields;

const taskStatuses = ["pending", "active", "completed", "failed", "cancelled"] satisfies TaskFacts["status"][];

/** The fields of tasks. */
export const taskFields = { status: { type: "word", words: taskStatuses }, ...shared } as const satisfies Fields;

const sessionStatuses = [
  "pending",
  "blocked",
  "active",
  "completed",
  "failed",
  "cancelled",
] satisfies WorkSessionFacts["status"][];

/** The fields of work sessions. */
export const workSessionFields = {
  status: { type: "word", words: sessionStatuses },
  ...shared,
  agent_type: { type: "text" },
  helix_session_id: { type: "text" },
  runner: { type: "text" },
} as const satisfies Fields;

/** A value of a field. */
export type FieldValue = string | number;

/** The values of all fields; times as milliseconds. */
export type FieldValues<Name extends string = string> = Readonly<Record<Name, FieldValue>>;

/** The name of a field of tasks. */
export type TaskField = keyof typeof taskFields;

/** The name of a field of work sessions. */
export type WorkSessionField = keyof typeof workSessionFields;

/** What of a task filters and orders look at. */
export type TaskTraits = Pick<
  TaskFacts,
  "status" | "taskType" | "priority" | "userId" | "appId" | "name" | "createdAt" | "updatedAt"
>;

/** The same of a work session. */
export type WorkSessionTraits = Pick<
  WorkSessionFacts,
  | "status"
  | "taskType"
  | "priority"
  | "userId"
  | "appId"
  | "name"
  | "createdAt"
  | "updatedAt"
  | "agentType"
  | "helixSessionId"
  | "runner"
>;

/** The values of a task. */
export function valuesOfTask(task: TaskTraits): FieldValues<TaskField> {
  return {
    status: task.status,
    task_type: task.taskType,
    priority: task.priority,
    user_id: task.userId,
    app_id: task.appId,
    name: task.name,
    created_at: task.createdAt.getTime(),
    updated_at: task.updatedAt.getTime(),
  };
}

/** The values of a work session. */
export function valuesOfWorkSession(session: WorkSessionTraits): FieldValues<WorkSessionField> {
  return {
    status: session.status,
    task_type: session.taskType,
    priority: session.priority,
    user_id: session.userId,
    app_id: session.appId,
    name: session.name,
    created_at: session.createdAt.getTime(),
    updated_at: session.updatedAt.getTime(),
    agent_type: session.agentType,
    helix_session_id: session.helixSessionId,
    runner: session.runner ?? "",
  };
}
