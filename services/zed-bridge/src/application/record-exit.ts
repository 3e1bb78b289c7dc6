import { redact } from "../domain/redact.ts";
import { afterExit } from "../domain/restart-budget.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";
import { endThread } from "./end-thread.ts";
import { lockThreads, loseTurns } from "./lose-turns.ts";
import { keptLogLines } from "./record-log-lines.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** How a process ended, or that it never began. */
export interface RecordExit {
  readonly instanceId: string;
  readonly launch: number;
  /** In words: `exit code 1`, `killed by SIGKILL`, `cannot be started: ENOENT`. */
  readonly reason: string;
  /** The last lines it wrote, oldest first. */
  readonly logLines: readonly string[];
  /** The bridge ended it because the bridge itself ends: that counts against nobody. */
  readonly planned?: boolean;
}

const ERROR_LINES_MAX = 20;

/**
 * The process of this launch is gone. Its turns go back to the queue; the instance is restarted after a pause, stopped
 * if nobody wants it, or failed when it has ended too often. Call it after its link was drained and closed.
 */
export async function recordExit(app: App, command: RecordExit): Promise<void> {
  const { instanceId, launch, logLines, planned = false } = command;
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || instance.launchCount !== launch) return;
    // A launch has its token until its end is recorded: whoever notices the end after that is late.
    if (instance.tokenHash === null) return;
    const reason = redact(command.reason, { texts: app.secrets, tokenHash: instance.tokenHash });
    const scopes = await lockThreads(app, unit, instance, now);
    forgetProcess(app, instance, logLines);
    if (instance.desired === "stopped") {
      instance.move("stop", { now, reason: instance.statusReason });
      await loseTurns(scopes, reason, planned);
    } else if (isRestarted(app, instance, { ...command, reason }, now)) await loseTurns(scopes, reason, planned);
    else await failThreads(scopes, [`The editor ended too often: ${reason}.`, ...errorLinesOf(instance)]);
    unit.ringInstance(instanceId);
  });
}

function errorLinesOf({ lastLogLines }: ZedInstance): string[] {
  return lastLogLines.slice(-ERROR_LINES_MAX);
}

function forgetProcess(app: App, instance: ZedInstance, logLines: readonly string[]): void {
  instance.linkEpoch += 1;
  instance.lastLogLines = keptLogLines(app, instance, logLines);
  Object.assign(instance, { pid: null, pidStartedAt: null, tokenHash: null, connected: false });
}

function isRestarted(app: App, instance: ZedInstance, { reason, planned = false }: RecordExit, now: Date): boolean {
  if (planned) return instance.move("lose", { now, reason });
  const restart = afterExit(instance.recentExits, now, app.limits);
  instance.recentExits = restart.recentExits;
  if (restart.kind === "give_up") {
    instance.move("give_up", { now, reason });
    return false;
  }
  instance.move("lose", { now, reason });
  instance.restartCount += 1;
  instance.nextLaunchAt = restart.notBefore;
  return true;
}

async function failThreads(scopes: readonly ThreadScope[], errorLines: readonly string[]): Promise<void> {
  for (const scope of scopes) {
    await endThread(scope, { outcome: "failed", reason: "EDITOR_FAILED", error: errorLines.join("\n") });
  }
}
