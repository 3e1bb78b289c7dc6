import { type Actor, Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import type { ThreadMapping } from "../domain/thread-mapping.ts";
import type { App, FoundWorkSession } from "./app.ts";
import { getOrCreateThread, onceMoreIfRaced, requireAgent } from "./open-thread.ts";
import { keyFor, type ThreadView, viewThread } from "./thread-view.ts";
import type { JsonObject } from "../domain/json.ts";

/** A thread that a caller wants for a session that it may see and that has not ended. */
export interface CreateZedThread {
  readonly session: FoundWorkSession;
  /** A real path below a root, as `resolveProjectPath` gives it. */
  readonly projectPath: string;
  /** Whether the caller named the folder: then a thread elsewhere is none that it wanted. */
  readonly pathIsWish: boolean;
  readonly workspaceConfig: JsonObject;
}

/**
 * Gets or makes the thread of a work session; its editor is started when the session is claimed.
 * Refuses with ZED_THREAD_EXISTS where it works in another folder already, with WORKSPACE_NOT_MADE before it has one.
 */
export async function createZedThread(app: App, actor: Actor, command: CreateZedThread): Promise<ThreadView> {
  const { session, projectPath, workspaceConfig } = command;
  const agent = requireAgent(app, session.agentType);
  const now = app.world.now();
  const wanted = { workSession: session, agent, projectPath, workspaceConfig, onTurnEnd: session.onTurnEnd, now };
  return onceMoreIfRaced(() =>
    app.database.transact(async (unit) => {
      const existing = await unit.threads.find(keyFor(actor, session.id));
      if (existing === null && session.ownCopy) throw copyNotMade(session);
      const mapping = existing ?? (await getOrCreateThread(app, unit, wanted)).mapping;
      if (command.pathIsWish && mapping.projectPath !== projectPath) throw threadExists(mapping);
      return viewThread(unit.em, mapping);
    }),
  );
}

function copyNotMade({ id }: FoundWorkSession): Refusal<Reason> {
  const message =
    "The work session works in a copy of its own. Its thread is made together with that, when it is claimed.";
  return new Refusal<Reason>("WORKSPACE_NOT_MADE", message, { work_session_id: id }, { retryAfterMs: 1_000 });
}

function threadExists({ workSessionId, id, projectPath }: ThreadMapping): Refusal<Reason> {
  return new Refusal<Reason>(
    "ZED_THREAD_EXISTS",
    `The work session has a thread in ${projectPath} already.`,
    { work_session_id: workSessionId, zed_thread_mapping_id: id, project_path: projectPath },
    { resource: { type: "ZedThread", name: workSessionId } },
  );
}
