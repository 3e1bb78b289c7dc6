import type { App } from "./app.ts";

/** How many lines of a process are kept. */
export const LOG_LINES_MAX = 100;

/** What a process wrote lately. */
export interface RecordLogLines {
  readonly instanceId: string;
  readonly launch: number;
  readonly logLines: readonly string[];
}

/** Keeps the last lines of a process that runs. Means nothing for an older launch. */
export async function recordLogLines(app: App, { instanceId, launch, logLines }: RecordLogLines): Promise<void> {
  await app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance?.launchCount === launch) instance.lastLogLines = logLines.slice(-LOG_LINES_MAX);
  });
}
