import type { Principal } from "@helix-zed/domain";
import type { EditorThread, EditorThreadKey } from "../domain/editor-thread.ts";
import type { App } from "./app.ts";
import { receiveEvent } from "./receive-event.ts";

/** A thread that a person began, and the session that is to be made for it. */
export interface WantedSession {
  readonly thread: EditorThread;
  readonly taskId: string;
  /** In whose name. */
  readonly principal: Principal;
  readonly agentType: string;
  /** The folder that the editor works in. */
  readonly projectPath: string;
}

const USUAL_AGENT_TYPE = "zed_agent";

/** The threads of this bridge's editors for which a session is to be made now. */
export function listWantedSessions(app: App, { runner }: { readonly runner: string }): Promise<WantedSession[]> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const wanted: WantedSession[] = [];
    for (const thread of await unit.editorThreads.wanted(runner, now)) {
      const instance = await unit.instances.find(thread.zedSessionId);
      if (instance === null) continue;
      const { userId, organizationId, taskId, workingDirectory: projectPath } = instance;
      const principal = organizationId === "" ? { userId } : { userId, organizationId };
      const agentType = agentTypeOf(app, await unit.threads.newestAgentName(instance.id));
      wanted.push({ thread, taskId, principal, agentType, projectPath });
    }
    return wanted;
  });
}

/** A session was made for the thread. */
export async function recordEditorSession(app: App, key: EditorThreadKey, workSessionId: string): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async ({ editorThreads }) => {
    const thread = await editorThreads.lock(key);
    if (thread?.status === "wanted") await editorThreads.put({ ...thread, status: "created", workSessionId }, now);
  });
}

/** No session could be made for the thread; it is tried again at a time, or never (`null`). */
export async function postponeEditorSession(
  app: App,
  key: EditorThreadKey,
  { error, until }: { readonly error: string; readonly until: Date | null },
): Promise<void> {
  await app.database.transact(async ({ editorThreads }) => {
    await editorThreads.postpone(key, error, until);
    if (until === null) await editorThreads.forget(key);
  });
}

/** Takes in what was said in threads before they had their mapping. Safe to repeat: what was said twice counts once. */
export async function takeInKept(app: App, { runner }: { readonly runner: string }): Promise<void> {
  const now = app.world.now();
  for (const thread of await app.database.transact(({ editorThreads }) => editorThreads.mapped(runner))) {
    const { zedSessionId: instanceId, launch } = thread;
    const kept = await app.database.transact(({ editorThreads }) => editorThreads.kept(thread));
    const instance = await app.database.transact(({ instances }) => instances.find(instanceId));
    // The numbers of entries mean nothing in another launch. What was said is in the editor, and comes when it is opened.
    if (instance?.launchCount === launch) {
      for (const { event } of kept) await receiveEvent(app, { instanceId, epoch: instance.linkEpoch, event });
    }
    await app.database.transact(async ({ editorThreads }) => {
      await editorThreads.put({ ...thread, status: "bound" }, now);
      await editorThreads.forget(thread);
    });
    app.database.doorbell.ring(`instance:${instanceId}`);
  }
}

function agentTypeOf({ agents }: App, wireName: string | null): string {
  for (const [type, agent] of agents) if (agent.wireName === wireName) return type;
  return agents.has(USUAL_AGENT_TYPE) ? USUAL_AGENT_TYPE : (agents.keys().next().value ?? USUAL_AGENT_TYPE);
}
