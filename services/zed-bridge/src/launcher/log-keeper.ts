// The log keeper
//
// Looks at the output of the processes that run: keeps each file within its limit, and now and then puts the last lines
// of those that wrote something where the API shows them.
import { stat } from "node:fs/promises";
import type { Log } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { recordLogLines } from "../application/record-log-lines.ts";
import { lastLogLines, trimLog } from "./output-log.ts";

/** What a log keeper is made of. */
export interface LogKeeperOptions {
  readonly app: App;
  readonly log: Log;
  /** How often to look. */
  readonly pollMs: number;
}

/** Whose output is kept. */
export interface KeptLog {
  readonly instanceId: string;
  readonly launch: number;
  readonly file: string;
}

/** Every so many looks the last lines are recorded, if there are new ones. */
const LOOKS_PER_RECORD = 10;

/** Keeps the output logs of the processes that run. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  readonly #kept = new Map<string, KeptLog & { recordedAt: string }>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
  }

  keep(log: KeptLog): void {
    this.#kept.set(log.instanceId, { ...log, recordedAt: "" });
    this.#running ??= this.#run();
  }

  forget(instanceId: string): void {
    this.#kept.delete(instanceId);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { app, pollMs, log } = this.#options;
    const { signal } = this.#stopping;
    for (let look = 0; !signal.aborted; look++) {
      for (const { file } of this.#kept.values()) {
        await trimLog(file).catch((error: unknown) => log.warn({ err: error, file }, "a log could not be trimmed"));
      }
      if (look % LOOKS_PER_RECORD === LOOKS_PER_RECORD - 1) await this.#record();
      await app.world.sleep(pollMs, signal).catch(() => {});
    }
  }

  async #record(): Promise<void> {
    const { app, log } = this.#options;
    for (const kept of this.#kept.values()) {
      const { instanceId, launch, file } = kept;
      const found = await stat(file).catch(() => null);
      const changedAt = `${found?.mtimeMs} ${found?.size}`;
      if (found === null || changedAt === kept.recordedAt) continue;
      kept.recordedAt = changedAt;
      const logLines = await lastLogLines(file);
      await recordLogLines(app, { instanceId, launch, logLines }).catch((error: unknown) =>
        log.warn({ err: error, instance: instanceId }, "log lines could not be recorded"),
      );
    }
  }
}
