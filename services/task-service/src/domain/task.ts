import { nextState } from "@helix-zed/domain";
import { defineEntity, p } from "@mikro-orm/core";
import { refuse } from "./reason.ts";
import { hasTaskEnded, type TaskAction, taskLifecycle, type TaskStatus, type TaskType } from "./task-lifecycle.ts";

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | Json;

/** A free-form object, kept as it came. */
export type Json = { [key: string]: JsonValue };

/** All that is stored about a task. */
export interface TaskFacts {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly description: string;
  readonly taskType: TaskType;
  readonly status: TaskStatus;
  readonly statusReason: string;
  readonly statusChangedAt: Date;
  readonly priority: number;
  readonly userId: string;
  /** Empty for a user's own. */
  readonly organizationId: string;
  readonly appId: string;
  /** Empty where the task names none. */
  readonly projectPath: string;
  readonly config: Json | null;
  readonly coordinatorSessionId: string;
  /** Rises with every change; the etag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
}

const TaskSchema = defineEntity({
  name: "Task",
  tableName: "tasks",
  properties: {
    id: p.string().primary(),
    tenant: p.string(),
    name: p.string(),
    description: p.text(),
    taskType: p.string().$type<TaskType>(),
    status: p.string().$type<TaskStatus>(),
    statusReason: p.string(),
    statusChangedAt: p.datetime(),
    priority: p.integer(),
    userId: p.string(),
    organizationId: p.string(),
    appId: p.string(),
    projectPath: p.string(),
    config: p.json().$type<Json>().strictNullable(),
    coordinatorSessionId: p.string(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    startedAt: p.datetime().strictNullable(),
    completedAt: p.datetime().strictNullable(),
  },
});

/** A piece of work, and what may happen to it. */
export class Task extends TaskSchema.class {
  /** Takes the action, or refuses where the lifecycle has none from here. */
  move(action: TaskAction, { now, reason = "" }: { readonly now: Date; readonly reason?: string }): void {
    const next = nextState(taskLifecycle, this.status, action);
    if (next === null) {
      const context = { task: this.id, status: this.status, action };
      throw refuse("TASK_STATUS_CONFLICT", `Cannot ${action} a task that is ${this.status}.`, context);
    }
    this.status = next;
    this.statusReason = reason;
    this.statusChangedAt = now;
    this.updatedAt = now;
    if (next === "active") this.startedAt ??= now;
    if (hasTaskEnded(next)) this.completedAt = now;
  }

  /** Refuses if the task has changed since the caller read it. */
  requireVersion(expected: number | undefined): void {
    if (expected === undefined || expected === this.version) return;
    throw refuse("ETAG_MISMATCH", "The task has changed since it was read.", { task: this.id });
  }

  /** Refuses if the task has ended. */
  requireLive(): void {
    if (!hasTaskEnded(this.status)) return;
    const context = { task: this.id, status: this.status };
    throw refuse("TASK_ENDED", `The task is ${this.status}: nothing can be added to it.`, context);
  }
}
TaskSchema.setClass(Task);
