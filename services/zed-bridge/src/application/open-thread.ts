import { Refusal, tenantOfPrincipal } from "@helix-zed/domain";
import { violatedConstraint } from "@helix-zed/persistence";
import type { Agent } from "../domain/agents.ts";
import type { Reason } from "../domain/reason.ts";
import {
  type AgentSettings,
  type OnTurnEnd,
  type ThreadMapping,
  usualAgentSettings,
} from "../domain/thread-mapping.ts";
import type { Workspace } from "../domain/workspace.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App, WorkSessionFacts } from "./app.ts";
import type { EditorThreadKey } from "../domain/editor-thread.ts";
import { bindEditorThread } from "./bind-editor-thread.ts";
import { disconnectThreads } from "./close-link.ts";
import { fenceLinks } from "./fence-links.ts";
import { lockThreads, loseTurns } from "./lose-turns.ts";
import { queueFirstPrompt } from "./queue-turn.ts";
import { wantInstance } from "./want-instance.ts";
import type { JsonObject } from "../domain/json.ts";

/** A claimed work session, and how to work on it. */
export interface OpenThread {
  readonly workSession: WorkSessionFacts;
  readonly leaseEpoch: bigint;
  readonly firstPrompt: string;
  /** A real path below a root, as `resolveProjectPath` gives it. A thread that has a folder already keeps it. */
  readonly projectPath: string;
  /** The copy of the project that it works in, made already; `null` or absent: in the project itself. */
  readonly workspace?: Workspace | null;
  readonly onTurnEnd: OnTurnEnd;
  /** How its agent is to be set up. As usual if absent. */
  readonly agentSettings?: AgentSettings;
  /** The thread that a person began in an editor, for which the session was made; absent for others. */
  readonly editorThread?: EditorThreadKey | null;
  /** This bridge's name. */
  readonly runner: string;
}

/** Which thread and which process carry the session out. */
export interface OpenedThread {
  readonly mappingId: string;
  readonly instanceId: string;
}

/**
 * Gets or makes what a claimed session needs: instance, mapping, first turn. Safe to repeat, also under a newer lease: what
 * was reported is then owed once more. Refuses with AGENT_TYPE_UNKNOWN, EDITOR_THREAD_UNKNOWN.
 */
export function openThread(app: App, command: OpenThread): Promise<OpenedThread> {
  const agent = requireAgent(app, command.workSession.agentType);
  const now = app.world.now();
  return onceMoreIfRaced(() =>
    app.database.transact(async (unit) => {
      if (command.editorThread)
        await bindEditorThread(app, unit, { ...command, agent, key: command.editorThread, now });
      const { instance, mapping } = await getOrCreateThread(app, unit, { ...command, agent, workspaceConfig: {}, now });
      if (instance.runner !== command.runner) await takeOver(app, unit, instance, command.runner, now);
      takeLease(unit, mapping, command, now);
      if (!mapping.ended) queueFirstPrompt(app, { unit, mapping, now }, command.firstPrompt);
      if (await hasWork(unit, mapping)) wantInstance(unit, instance, now);
      return { mappingId: mapping.id, instanceId: instance.id };
    }),
  );
}

/** The agent of this type; refuses a type that the bridge does not drive. */
export function requireAgent({ agents }: App, agentType: string): Agent {
  const agent = agents.get(agentType);
  if (agent !== undefined) return agent;
  const message = `The agent type ${agentType} is none that is driven here. Known are: ${[...agents.keys()].join(", ")}.`;
  throw new Refusal<Reason>("AGENT_TYPE_UNKNOWN", message, { agent_type: agentType });
}

/** Two that make the first thread of a session in different folders meet at its constraint: the second finds the first's. */
export async function onceMoreIfRaced<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (violatedConstraint(error) !== "zed_thread_mappings_work_session_id_key") throw error;
    return work();
  }
}

/** What a new thread is made of. */
export interface WantedThread {
  readonly workSession: WorkSessionFacts;
  readonly agent: Agent;
  readonly projectPath: string;
  readonly workspace?: Workspace | null;
  readonly workspaceConfig: JsonObject;
  readonly onTurnEnd: OnTurnEnd;
  readonly now: Date;
}

/** The thread of a work session and its instance, both locked, made if there are none. */
export async function getOrCreateThread(
  app: App,
  unit: Unit,
  wanted: WantedThread,
): Promise<{ readonly instance: ZedInstance; readonly mapping: ThreadMapping }> {
  const { workSession, agent, projectPath, now } = wanted;
  const { id, taskId, userId, organizationId } = workSession;
  const instanceId = await unit.threads.instanceOf({ workSessionId: id });
  const tenant = tenantOfPrincipal(organizationId === "" ? { userId } : { userId, organizationId });
  const owner = { tenant, userId, organizationId, taskId };
  const place = { workingDirectory: projectPath, launchTarget: app.launchTarget };
  const instance =
    instanceId === null
      ? await unit.instances.lockOrCreate({ ...owner, ...place, id: app.world.newId("zed"), now })
      : await unit.instances.lockExisting(instanceId);
  const existing = await unit.threads.lockOfSession(id);
  if (existing !== null) return { instance, mapping: existing };
  const { workspace = null, workspaceConfig, onTurnEnd } = wanted;
  const mapping = unit.threads.add({
    id: app.world.newId("ztm"),
    workSessionId: id,
    tenant,
    taskId,
    zedSessionId: instance.id,
    projectPath,
    workspace,
    workspaceConfig,
    agentName: agent.wireName,
    onTurnEnd,
    now,
  });
  unit.log.mapping(mapping);
  // Turns refer to it, and the ORM does not know that.
  await unit.em.flush();
  return { instance, mapping };
}

function takeLease(unit: Unit, mapping: ThreadMapping, command: OpenThread, now: Date): void {
  const { leaseEpoch, onTurnEnd, agentSettings = usualAgentSettings } = command;
  if (mapping.leaseEpoch === leaseEpoch) return;
  Object.assign(mapping, { leaseEpoch, onTurnEnd, ...agentSettings });
  mapping.outcomeReported = null;
  mapping.updatedAt = now;
  unit.ringReports();
  unit.ringInstance(mapping.zedSessionId);
}

/** The instance was another bridge's: what that one had in its hands is lost, and its process is fenced. */
async function takeOver(app: App, unit: Unit, instance: ZedInstance, runner: string, now: Date): Promise<void> {
  const first = instance.runner === "";
  Object.assign(instance, { runner, updatedAt: now });
  if (first) return;
  if (instance.external) return leaveToItsOwner(app, unit, instance, now);
  Object.assign(instance, { pid: null, pidStartedAt: null, tokenHash: null, connected: false });
  instance.linkEpoch += 1;
  instance.move("lose", { now, reason: "TAKEN_OVER" });
  await loseTurns(await lockThreads(app, unit, instance, now), "another bridge has taken over");
}

/** Its process is nobody's of us and goes on: it has its token, and connects again wherever it finds a bridge. */
async function leaveToItsOwner(app: App, unit: Unit, instance: ZedInstance, now: Date): Promise<void> {
  fenceLinks(unit, instance, now);
  await disconnectThreads(app, unit, instance, now, "TAKEN_OVER");
}

async function hasWork(unit: Unit, mapping: ThreadMapping): Promise<boolean> {
  await unit.em.flush();
  return !mapping.ended && (await unit.turns.live(mapping.id)).length > 0;
}
