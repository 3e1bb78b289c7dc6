// What the bridge does with the work sessions that it claims
//
// A claimed session gets a thread: its folder is checked, then instance, mapping and first prompt are written down. That
// is all; the supervisor, the links and the reporter see what is wanted and make it so. Everything may come again, after a
// restart or a broken watch, and changes nothing then.
//
// A session that cannot be begun (no folder, no such agent) would be given back and claimed again for ever. So it is
// reported as failed at once, with the reason, in the words of the refusal.
import type { Client } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import { OnTurnEnd, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { Claim, RunnerHandler } from "@helix-zed/runner";
import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { type CloseReason, closeThread } from "../application/close-thread.ts";
import { listLiveSessions } from "../application/list-live-sessions.ts";
import { openThread } from "../application/open-thread.ts";
import { releaseThread } from "../application/release-thread.ts";
import { isPassing } from "../retry.ts";
import type { Workspaces } from "../workspace/workspaces.ts";
import { editorThreadOf } from "./editor-thread-mark.ts";
import { sessionEnd } from "./session-end.ts";
import { placeOf, suitsHere } from "./work-session-place.ts";
import { unlessSettled } from "./settled-report.ts";
import { agentSettingsOf } from "./agent-settings.ts";
import { factsOf } from "./work-session-facts.ts";

/** What the handler works with. */
export interface WorkSessionHandlerOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly workSessions: Client<typeof WorkSessionService>;
  readonly workspaces: Pick<Workspaces, "prepare">;
  readonly log: Log;
}

/** Gives claimed sessions a thread and takes it away again. */
export function workSessionHandler(options: WorkSessionHandlerOptions): RunnerHandler {
  const { app, runner, workSessions } = options;
  return {
    suits: (workSessionId) => suitsHere(options, workSessionId),
    claimed: (claim, leaseEpoch) => begin(options, claim, leaseEpoch),
    lost: (workSessionId) => releaseThread(app, { workSessionId }),
    // If it cannot be asked how: what matters is that it has.
    ended: async (id) => close(app, id, await sessionEnd(workSessions, id).catch(() => "ended" as const)),
    synced: async (living) => {
      const known = await listLiveSessions(app, { runner });
      // One that is missing may have begun after the list was made: ask before anything is ended.
      for (const id of known.filter((each) => !living.has(each)))
        await close(app, id, await sessionEnd(workSessions, id));
    },
  };
}

async function close(app: App, workSessionId: string, reason: CloseReason | null): Promise<void> {
  if (reason !== null) await closeThread(app, { workSessionId, reason });
}

async function begin(options: WorkSessionHandlerOptions, claim: Claim, leaseEpoch: bigint): Promise<void> {
  const { app, runner, log } = options;
  const { workSession, firstPrompt } = claim;
  try {
    const { projectPath, workspace } = await placeOf(options, claim);
    const onTurnEnd = claim.onTurnEnd === OnTurnEnd.COMPLETE ? "complete" : "idle";
    const opened = await openThread(app, {
      workSession: factsOf(workSession),
      leaseEpoch,
      firstPrompt,
      projectPath,
      workspace,
      onTurnEnd,
      agentSettings: agentSettingsOf(workSession),
      editorThread: editorThreadOf(workSession),
      runner,
    });
    log.info({ workSession: workSession.id, instance: opened.instanceId }, "a work session is begun");
  } catch (error) {
    if (!(error instanceof Refusal) || isPassing(error)) throw error;
    log.warn({ err: error, workSession: workSession.id }, "a work session cannot be begun");
    await reportFailed(options, { id: workSession.id, leaseEpoch, refusal: error });
  }
}

interface CannotBegin {
  readonly id: string;
  readonly leaseEpoch: bigint;
  readonly refusal: Refusal;
}

/** Rejects, to be called again, unless the report is taken or refused for good. */
async function reportFailed(
  { workSessions }: WorkSessionHandlerOptions,
  { id, leaseEpoch, refusal }: CannotBegin,
): Promise<void> {
  const result = { summary: "", error: refusal.message };
  const report = { id, leaseEpoch, status: WorkSessionStatus.FAILED, reason: refusal.reason, result };
  await unlessSettled(workSessions, id, () => workSessions.updateWorkSessionStatus(report));
}
