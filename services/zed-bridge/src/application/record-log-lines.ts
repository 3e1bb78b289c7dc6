import { redact } from "../domain/redact.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";

const LOG_LINES_MAX = 100;

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
    if (instance?.launchCount === launch) instance.lastLogLines = keptLogLines(app, instance, logLines);
  });
}

/** The lines that are kept of those that a process wrote: the last ones, without the secrets in them. */
export function keptLogLines({ secrets }: App, { tokenHash }: ZedInstance, logLines: readonly string[]): string[] {
  return logLines.slice(-LOG_LINES_MAX).map((line) => redact(line, { texts: secrets, tokenHash }));
}
