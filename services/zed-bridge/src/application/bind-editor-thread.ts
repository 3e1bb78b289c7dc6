import { Refusal } from "@helix-zed/domain";
import type { Agent } from "../domain/agents.ts";
import type { Reason } from "../domain/reason.ts";
import type { OnTurnEnd } from "../domain/thread-mapping.ts";
import type { EditorThread, EditorThreadKey } from "../domain/editor-thread.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App, WorkSessionFacts } from "./app.ts";
import { moveThread } from "./thread-scope.ts";

/** A session that was made for a thread of an editor, claimed. */
export interface BindEditorThread {
  readonly workSession: WorkSessionFacts;
  readonly agent: Agent;
  readonly key: EditorThreadKey;
  readonly onTurnEnd: OnTurnEnd;
  readonly now: Date;
}

/**
 * Gives a session the thread that it was made for; what was said in it is taken in afterwards, and nothing is asked of the
 * agent. A session that has its thread keeps it. Refuses with EDITOR_THREAD_UNKNOWN for a thread that is not the task's.
 */
export async function bindEditorThread(app: App, unit: Unit, wanted: BindEditorThread): Promise<void> {
  const { workSession, agent, key, onTurnEnd, now } = wanted;
  if ((await unit.threads.instanceOf({ workSessionId: workSession.id })) !== null) return;
  const { instance, thread } = await requireThread(unit, workSession, key);
  const mapping = unit.threads.add({
    id: app.world.newId("ztm"),
    workSessionId: workSession.id,
    tenant: instance.tenant,
    taskId: instance.taskId,
    zedSessionId: instance.id,
    projectPath: instance.workingDirectory,
    workspace: null,
    workspaceConfig: {},
    agentName: agent.wireName,
    onTurnEnd,
    now,
  });
  const { zedThreadId } = key;
  Object.assign(mapping, { zedThreadId, title: thread.title, firstPromptQueued: true });
  unit.log.mapping(mapping);
  if (instance.connected && thread.launch === instance.launchCount) {
    mapping.openedEpoch = instance.linkEpoch;
    moveThread({ unit, mapping, limits: app.limits, now }, "live");
  }
  mapping.owe("active");
  unit.ringReports();
  await unit.editorThreads.put({ ...thread, status: "created", workSessionId: workSession.id }, now);
  unit.ringEditorThreads();
  // What follows looks for it in the database.
  await unit.em.flush();
}

interface FoundThread {
  readonly instance: ZedInstance;
  readonly thread: EditorThread;
}

async function requireThread(unit: Unit, { id, taskId }: WorkSessionFacts, key: EditorThreadKey): Promise<FoundThread> {
  const instance = await unit.instances.lock(key.zedSessionId);
  const thread = instance?.taskId === taskId ? await unit.editorThreads.lock(key) : null;
  const isFree = thread?.status === "wanted" || thread?.status === "created";
  const isIts = thread !== null && isFree && (thread.workSessionId === null || thread.workSessionId === id);
  if (instance !== null && isIts && !(await unit.threads.isTaken(key.zedSessionId, key.zedThreadId))) {
    return { instance, thread };
  }
  throw new Refusal<Reason>("EDITOR_THREAD_UNKNOWN", "The thread that the session was made for is not known here.", {
    work_session_id: id,
    zed_thread_id: key.zedThreadId,
  });
}
