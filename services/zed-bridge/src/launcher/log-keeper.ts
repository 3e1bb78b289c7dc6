// The log keeper
//
// Looks at the output of the processes that run: keeps each file within its limit, and now and then puts the last lines
// of those that wrote something where the API shows them. Where one floods it looks more often: what a file may grow to
// is what a process can write between two looks.
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

/** How much rarer than to look at the files is to record their last lines, if there are new ones. */
const POLLS_PER_RECORD = 10;
/** How much more often to look while a file floods. */
const LOOKS_PER_POLL = 20;

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
    const { app, pollMs } = this.#options;
    const { signal } = this.#stopping;
    for (let waitedMs = 0; !signal.aborted;) {
      if (waitedMs >= pollMs * POLLS_PER_RECORD) {
        await this.#record();
        waitedMs = 0;
      }
      const pauseMs = (await this.#trim()) ? pollMs / LOOKS_PER_POLL : pollMs;
      await app.world.sleep(pauseMs, signal).catch(() => {});
      waitedMs += pauseMs;
    }
  }

  /** Whether any file was over its limit. */
  async #trim(): Promise<boolean> {
    let isFlooded = false;
    for (const { file } of this.#kept.values()) {
      try {
        if (await trimLog(file)) isFlooded = true;
      } catch (error) {
        this.#options.log.warn({ err: error, file }, "a log could not be trimmed");
      }
    }
    return isFlooded;
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
