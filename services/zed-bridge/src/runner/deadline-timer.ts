import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { expireDeadlines } from "../application/expire-deadlines.ts";
import { stopIdleInstances } from "../application/stop-idle-instances.ts";

/** What a deadline timer works with. */
export interface DeadlineTimerOptions {
  readonly app: App;
  /** This bridge's name. */
  readonly runner: string;
  readonly log: Log;
  readonly intervalMs?: number;
}

/** Does what is overdue, again and again until the signal aborts. Never rejects. */
export async function watchDeadlines(options: DeadlineTimerOptions, signal: AbortSignal): Promise<void> {
  const { app, runner, log, intervalMs = 1_000 } = options;
  while (!signal.aborted) {
    try {
      const count = (await expireDeadlines(app, { runner })) + (await stopIdleInstances(app, { runner }));
      if (count > 0) log.info({ count }, "deadlines have passed");
    } catch (error) {
      log.warn({ err: error }, "deadlines could not be looked after");
    }
    await app.world.sleep(intervalMs, signal).catch(() => {});
  }
}
