import { type Actor, Refusal, tenantOfPrincipal } from "@helix-zed/domain";
import { violatedConstraint } from "@helix-zed/persistence";
import type { Reason } from "../domain/reason.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App, FoundTask } from "./app.ts";
import { type IssuedToken, issueTo } from "./issue-zed-instance-token.ts";
import { wantInstance } from "./want-instance.ts";

// Adopting an editor
//
// Somebody else starts an editor for a task, in a sandbox where we could not. It presents a session id of its owner's
// making and works in a folder that may exist only where it runs. To adopt it is to say: the instance of this task and
// folder is that one. If the bridge has already written one down for them, for a session that it has claimed, it becomes
// that; if not, sessions of the task that are claimed later find it. The instance keeps an id of ours: the one that is
// presented is only looked up when a link comes.

/** Which editor, and for what. */
export interface AdoptZedInstance {
  readonly taskId: string;
  /** What it presents when it connects. */
  readonly zedSessionId: string;
  /** An absolute path, as the editor sees it. */
  readonly workingDirectory: string;
}

const OWN_IDS = "zed_";
const PRESENTED_ID_KEY = "zed_instances_presented_id_key";

/**
 * Lets an editor that somebody else starts be the instance of a task and folder, with a new token. Safe to repeat. Refuses
 * with TASK_NOT_FOUND, TASK_ENDED, INSTANCE_RUNS, ZED_SESSION_ID_TAKEN, ZED_SESSION_ID_RESERVED.
 */
export async function adoptZedInstance(app: App, actor: Actor, command: AdoptZedInstance): Promise<IssuedToken> {
  if (command.zedSessionId.startsWith(OWN_IDS)) throw idReserved();
  const task = await requireLiveTask(app, actor, command.taskId);
  const token = app.world.newSecret();
  const now = app.world.now();
  try {
    return await app.database.transact(async (unit) => {
      const instance = await lockInstance(app, unit, task, command, now);
      if (isRun(instance)) throw instanceRuns(instance);
      Object.assign(instance, { launchTarget: "external", presentedId: command.zedSessionId });
      // A constraint that is violated is to be so here, where it is known what it means.
      await unit.em.flush();
      wantInstance(unit, instance, now);
      return issueTo(app, unit, instance, { token, now });
    });
  } catch (error) {
    if (violatedConstraint(error) === PRESENTED_ID_KEY) throw idTaken(command);
    throw error;
  }
}

async function requireLiveTask(app: App, actor: Actor, taskId: string): Promise<FoundTask> {
  const task = await app.tasks.find(actor, taskId);
  const metadata = { task_id: taskId };
  if (task === null) {
    const resource = { type: "Task", name: taskId };
    throw new Refusal<Reason>("TASK_NOT_FOUND", "There is no such task.", metadata, { resource });
  }
  if (task.ended)
    throw new Refusal<Reason>("TASK_ENDED", "The task has ended: nothing works for it any more.", metadata);
  return task;
}

function lockInstance(
  app: App,
  unit: Unit,
  { id: taskId, userId, organizationId }: FoundTask,
  { workingDirectory }: AdoptZedInstance,
  now: Date,
): Promise<ZedInstance> {
  const tenant = tenantOfPrincipal(organizationId === "" ? { userId } : { userId, organizationId });
  const owner = { tenant, userId, organizationId, taskId };
  const place = { workingDirectory, launchTarget: "external" as const };
  return unit.instances.lockOrCreate({ ...owner, ...place, id: app.world.newId("zed"), now });
}

/** A launch that is under way has a token before it has a process. */
function isRun({ external, pid, tokenHash }: ZedInstance): boolean {
  return !external && (pid !== null || tokenHash !== null);
}

function instanceRuns({ id, workingDirectory }: ZedInstance): Refusal<Reason> {
  return new Refusal<Reason>(
    "INSTANCE_RUNS",
    `The bridge runs a process for this task in ${workingDirectory}: stop that first.`,
    { zed_instance_id: id },
  );
}

function idTaken({ zedSessionId }: AdoptZedInstance): Refusal<Reason> {
  const message = "Another instance presents this session id.";
  return new Refusal<Reason>("ZED_SESSION_ID_TAKEN", message, { zed_session_id: zedSessionId });
}

function idReserved(): Refusal<Reason> {
  const description = `must not begin with ${OWN_IDS}, as the bridge's own ids do`;
  const violations = [{ field: "zed_session_id", description }];
  return new Refusal<Reason>("ZED_SESSION_ID_RESERVED", `zed_session_id ${description}.`, {}, { violations });
}
