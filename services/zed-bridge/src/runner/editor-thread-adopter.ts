// Sessions for the threads that people begin in their editors
//
// The intent is in the database; here it is carried out, level-triggered and safe to repeat: a session is asked for under
// a request id that is always the same for the thread, in the name of the user whose task the editor works for. It says in
// its configuration which thread it is for, so whoever claims it binds it and asks nothing of the agent. What was said
// meanwhile is taken in then. Where task-service says no for good, the thread stays the editor's own.
import { createHash } from "node:crypto";
import { Code, type Client } from "@connectrpc/connect";
import { OnTurnEnd } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { actingFor, type Log, UpstreamError } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import {
  listWantedSessions,
  postponeEditorSession,
  recordEditorSession,
  takeInKept,
  type WantedSession,
} from "../application/editor-thread-sessions.ts";
import type { EditorThreadKey } from "../domain/editor-thread.ts";
import { markOf } from "./editor-thread-mark.ts";

/** What the adopter works with. */
export interface EditorThreadAdopterOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly log: Log;
  readonly pollMs?: number;
}

const CALL_TIMEOUT_MS = 10_000;
const NAME_LENGTH_MAX = 200;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MAX_MS = 60_000;
const ATTEMPTS_MAX = 50;

/** What will not be otherwise the next time. */
const FINAL: ReadonlySet<Code> = new Set([
  Code.NotFound,
  Code.FailedPrecondition,
  Code.InvalidArgument,
  Code.PermissionDenied,
  Code.AlreadyExists,
]);

/** Makes sessions of threads until the signal aborts. Never rejects. */
export async function adoptEditorThreads(options: EditorThreadAdopterOptions, signal: AbortSignal): Promise<void> {
  const { app, log, pollMs = 5_000 } = options;
  const ear = app.database.doorbell.listen("editor-threads");
  while (!signal.aborted) {
    try {
      await adoptOnce(options);
    } catch (error) {
      log.warn({ err: error }, "threads of editors could not be looked after");
    }
    await ear.wait(pollMs, signal).catch(() => {});
  }
  ear.close();
}

/** Does what is to be done now. */
export async function adoptOnce(options: EditorThreadAdopterOptions): Promise<void> {
  const { app, runner } = options;
  for (const wanted of await listWantedSessions(app, { runner })) await makeSession(options, wanted);
  await takeInKept(app, { runner });
}

async function makeSession(
  { app, workSessions, log }: EditorThreadAdopterOptions,
  wanted: WantedSession,
): Promise<void> {
  const { thread, taskId, principal, agentType, projectPath } = wanted;
  try {
    const { workSession } = await workSessions.createWorkSession(
      {
        taskId,
        name: nameOf(wanted),
        description: thread.firstWords,
        agentType,
        agentConfig: { onTurnEnd: OnTurnEnd.IDLE },
        environmentConfig: { projectPath, extra: markOf(thread) },
        requestId: requestIdOf(thread),
      },
      { ...actingFor({ kind: "user", ...principal }), timeoutMs: CALL_TIMEOUT_MS },
    );
    const id = workSession?.id ?? "";
    await recordEditorSession(app, thread, id);
    log.info({ workSession: id, instance: thread.zedSessionId }, "a person's thread has become a work session");
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const until = FINAL.has(error.code) || thread.attempts >= ATTEMPTS_MAX ? null : nextTry(app, thread.attempts);
    log.warn({ err: error, instance: thread.zedSessionId, until }, "a person's thread has no work session yet");
    await postponeEditorSession(app, thread, { error: error.message, until });
  }
}

function nextTry({ world }: App, attempts: number): Date {
  return new Date(world.now().getTime() + Math.min(PAUSE_FIRST_MS * 2 ** attempts, PAUSE_MAX_MS));
}

function nameOf({ thread }: WantedSession): string {
  const [firstLine = ""] = thread.firstWords.trim().split("\n");
  const name = (thread.title.trim() || firstLine.trim()).slice(0, NAME_LENGTH_MAX).toWellFormed();
  return name === "" ? "A thread of the editor" : name;
}

/** The same UUID for the same thread at all times, in all bridges. */
function requestIdOf({ zedSessionId, zedThreadId }: EditorThreadKey): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([zedSessionId, zedThreadId]))
    .digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
