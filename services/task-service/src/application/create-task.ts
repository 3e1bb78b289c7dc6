import type { Actor } from "@helix-zed/domain";
import { type Owner, ownerOf } from "../domain/owner.ts";
import type { Json, TaskFacts } from "../domain/task.ts";
import type { TaskType } from "../domain/task-lifecycle.ts";
import { type TaskRow, taskFromRow } from "../persistence/rows.ts";
import type { App } from "./app.ts";
import { defaultAgentType, type NewWorkSession, newWorkSession } from "./new-work-session.ts";

/** A task to create. */
export interface CreateTask {
  readonly name: string;
  readonly description: string;
  readonly taskType: TaskType;
  readonly priority: number;
  readonly appId: string;
  readonly projectPath: string;
  readonly config: Json | null;
  /** None: one that fits the task's type. */
  readonly workSessions: readonly NewWorkSession[];
  /** A UUID that makes the call safe to repeat. */
  readonly requestId: string | null;
}

/** Creates a task, its coordinator session and its initial work sessions: all of them or nothing. */
export async function createTask(app: App, actor: Actor, { requestId, ...asked }: CreateTask): Promise<TaskFacts> {
  const { database, world } = app;
  const owner = ownerOf(actor);
  const request = { tenant: owner.tenant, requestId, method: "CreateTask", payload: asked };
  return database.transact(actor, async ({ tasks, workSessions, requests }) => {
    const earlier = await requests.recall<TaskRow>(request);
    if (earlier !== null) return taskFromRow(earlier);
    const now = world.now();
    const task = tasks.add(newTask(asked, owner, { id: world.newId("tsk"), now, sessionId: world.newId("ses") }));
    workSessions.addCoordinator({
      id: task.coordinatorSessionId,
      tenant: task.tenant,
      taskId: task.id,
      createdAt: now,
    });
    for (const session of initialSessions(asked)) {
      const ids = { id: world.newId("ws"), helixSessionId: world.newId("ses") };
      workSessions.add(newWorkSession(session, { ...ids, task, now }), "minted");
    }
    requests.keep(request, { table: "tasks", id: task.id });
    return task;
  });
}

function newTask(
  { name, description, taskType, priority, appId, projectPath, config }: Omit<CreateTask, "requestId">,
  owner: Owner,
  { id, now, sessionId }: { readonly id: string; readonly now: Date; readonly sessionId: string },
): Omit<TaskFacts, "version"> {
  return {
    ...owner,
    id,
    name,
    description,
    taskType,
    status: "pending",
    statusReason: "",
    statusChangedAt: now,
    priority,
    appId,
    projectPath,
    config,
    coordinatorSessionId: sessionId,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    completedAt: null,
  };
}

/** What the task begins with: what was asked for, else one session that does the whole of it. */
function initialSessions({
  workSessions,
  name,
  description,
}: Omit<CreateTask, "requestId">): readonly NewWorkSession[] {
  if (workSessions.length > 0) return workSessions;
  return [{ name, description, agentType: defaultAgentType, agentConfig: null, environmentConfig: null }];
}
